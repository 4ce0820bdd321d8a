// Bytes as text (RFC 4648, with padding).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tq::cli {

std::string encode_base64(std::string_view bytes);
// The bytes, or nothing if the text is anything else than what encode_base64 makes.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace tq::cli
