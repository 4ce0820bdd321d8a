// Questions about text that came from outside.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tq::base {

// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF).
bool is_utf8(std::string_view text);

// Throws InvalidArgument unless `name` can name a `what` ("queue", "task", "label"): 1 to kMaxNameBytes bytes of UTF-8
// without control characters, a space at either end, or a comma. The text shows only names that a terminal can stand.
void check_name(std::string_view what, std::string_view name);

// At most `max_bytes` of `text`, cut at a character and marked with "..." if something was dropped; each byte that is not
// part of well-formed UTF-8 becomes U+FFFD.
std::string shorten(std::string_view text, std::size_t max_bytes);

// The one of `known` that a person most likely meant by `typed`, or "": the least changes (a byte too many, missing, other, or
// two swapped), of which a third of its length is allowed, rounded up. Of several as near the first.
std::string_view nearest(std::string_view typed, const std::vector<std::string_view>& known);

}  // namespace tq::base
