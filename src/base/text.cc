#include "base/text.hpp"

#include "base/fail.hpp"

#include <tq/types.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tq::base {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::string_view kDots = "...";

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// How many bytes at the start of `text` are ASCII; in words, because almost all text is.
std::size_t ascii_prefix(std::string_view text) {
  std::size_t size = 0;
  for (std::uint64_t word; size + sizeof word <= text.size(); size += sizeof word) {
    std::memcpy(&word, text.data() + size, sizeof word);
    if ((word & 0x8080808080808080u) != 0) break;
  }
  while (size < text.size() && is_ascii(text[size])) ++size;
  return size;
}

// The length of the well-formed character at the start of `text`, which is not empty; 0: there is none. The bounds of the
// second byte are those of table 3-7 of the Unicode standard: they exclude overlong forms, surrogates and what is too large.
std::size_t character_length(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  if (first < 0xc2 || first > 0xf4) return 0;
  const std::size_t length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < length) return 0;
  const unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
  if (at(1) < low || at(1) > high) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

// C0, DEL, and C1 in UTF-8: U+009B alone starts an escape sequence on some terminals.
bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 || c == 0x7f) return true;
    if (c == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) return true;
  }
  return false;
}

// How many single changes (insert, drop, replace, swap of neighbours) make `b` out of `a`; no byte is changed twice.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (;;) {
    text.remove_prefix(ascii_prefix(text));
    if (text.empty()) return true;
    const std::size_t length = character_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
}

void check_name(std::string_view what, std::string_view name) {
  if (name.empty()) fail<InvalidArgument>("the {} name is empty: it takes 1 to {} bytes", what, kMaxNameBytes);
  if (name.size() > kMaxNameBytes) {
    fail<InvalidArgument>("the {} name has {} bytes: at most {} are allowed", what, name.size(), kMaxNameBytes);
  }
  if (!is_utf8(name)) fail<InvalidArgument>("the {} name is not UTF-8", what);
  if (has_control_character(name)) fail<InvalidArgument>("the {} name has a control character", what);
  if (name.front() == ' ' || name.back() == ' ') {
    fail<InvalidArgument>("the {} name '{}' begins or ends with a space", what, name);
  }
  if (name.find(',') != name.npos) {
    fail<InvalidArgument>("the {} name '{}' has a comma, which separates names in a list", what, name);
  }
}

std::string shorten(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes && is_utf8(text)) return std::string(text);
  std::string out;
  std::size_t room_for_dots = 0;  // the longest prefix of `out` that leaves room for them
  while (!text.empty()) {
    const std::size_t length = character_length(text);
    const std::string_view character = length == 0 ? kReplacement : text.substr(0, length);
    if (out.size() + character.size() > max_bytes) {
      out.resize(room_for_dots);
      return out.append(kDots.substr(0, max_bytes - room_for_dots));
    }
    out += character;
    if (out.size() + kDots.size() <= max_bytes) room_for_dots = out.size();
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::string_view nearest(std::string_view typed, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t least = (typed.size() + 2) / 3;  // a third, rounded up
  if (least != 0) ++least;                     // from here on: the first distance that is too much
  for (const std::string_view name : known) {
    const std::size_t longer = std::max(name.size(), typed.size()) - std::min(name.size(), typed.size());
    if (longer >= least) continue;
    const std::size_t distance = edit_distance(typed, name);
    if (distance >= least) continue;
    least = distance;
    best = name;
  }
  return best;
}

}  // namespace tq::base
