#include "cli/terminal.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace tq::cli {
namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};
// The blocks that matter in practice; a character that is missing here costs an uneven column, no more.
constexpr std::array<Range, 3> kCombining{{{0x300, 0x36f}, {0x200b, 0x200f}, {0xfe00, 0xfe0f}}};
constexpr std::array<Range, 9> kWide{{{0x1100, 0x115f},
                                      {0x2e80, 0xa4cf},
                                      {0xac00, 0xd7a3},
                                      {0xf900, 0xfaff},
                                      {0xfe30, 0xfe6f},
                                      {0xff00, 0xff60},
                                      {0x1f300, 0x1f64f},
                                      {0x1f900, 0x1f9ff},
                                      {0x20000, 0x3fffd}}};

template <std::size_t N>
bool contains(const std::array<Range, N>& ranges, std::uint32_t character) {
  for (const Range& range : ranges) {
    if (character >= range.first && character <= range.last) return true;
  }
  return false;
}

struct Character {
  std::size_t bytes;
  std::size_t columns;
};

// The first of `text`, which is well-formed and not empty.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (bytes == 1 || bytes > text.size()) return {1, 1};
  std::uint32_t character = lead & (0xffu >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) character = character << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
  return {bytes, contains(kCombining, character) ? 0u : contains(kWide, character) ? 2u : 1u};
}

std::size_t width_of(int fd) {
  winsize size{};
  if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) return size.ws_col;
  return 80;
}

bool wants_colours(bool is_terminal, When colours) {
  if (colours != When::automatic) return colours == When::always;
  const char* const no_color = std::getenv("NO_COLOR");
  const char* const term = std::getenv("TERM");
  const bool is_refused = no_color != nullptr && *no_color != '\0';
  return is_terminal && !is_refused && term != nullptr && std::string_view(term) != "dumb";
}

const char* escape_of(Colour colour) {
  switch (colour) {
    case Colour::dim:
      return "\x1b[2m";
    case Colour::bold:
      return "\x1b[1m";
    case Colour::red:
      return "\x1b[31m";
    case Colour::green:
      return "\x1b[32m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::cyan:
      return "\x1b[36m";
    default:
      return "";
  }
}

}  // namespace

Terminal Terminal::of(int fd, When colours) {
  Terminal terminal;
  terminal.is_terminal = ::isatty(fd) == 1;
  terminal.has_colours = wants_colours(terminal.is_terminal, colours);
  if (terminal.is_terminal) terminal.width = width_of(fd);
  return terminal;
}

std::string Terminal::paint(Colour colour, std::string_view text) const {
  if (!has_colours || colour == Colour::none || text.empty()) return std::string(text);
  return fmt::format("{}{}\x1b[0m", escape_of(colour), text);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character character = first_character(text);
    width += character.columns;
    text.remove_prefix(character.bytes);
  }
  return width;
}

std::string cut_to_width(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::size_t bytes = 0;
  for (std::size_t columns = 0; bytes < text.size();) {
    const Character character = first_character(text.substr(bytes));
    columns += character.columns;
    if (columns > width - 1) break;
    bytes += character.bytes;
  }
  return std::string(text.substr(0, bytes)) + "…";
}

}  // namespace tq::cli
