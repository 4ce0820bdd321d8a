// What a descriptor can show: whether it is a terminal, how wide it is, whether colours are wanted.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tq::cli {

enum class When { automatic, always, never };

enum class Colour { none, dim, bold, red, green, yellow, cyan };

struct Terminal {
  bool is_terminal = false;
  bool has_colours = false;
  std::size_t width = 0;  // in columns; 0: as wide as need be

  static Terminal of(int fd, When colours);
  // The text in that colour, or as it is.
  std::string paint(Colour colour, std::string_view text) const;
};

// How many columns well-formed UTF-8 takes: 0 for combining characters, 2 for wide ones.
std::size_t display_width(std::string_view text);
// At most `width` columns of it; what is cut is marked with an ellipsis.
std::string cut_to_width(std::string_view text, std::size_t width);

}  // namespace tq::cli
