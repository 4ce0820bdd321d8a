// The four bytes at the end of every value: CRC32C of key and value.
#pragma once

#include "base/bytes.hpp"
#include "base/crc.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tq::store {

inline constexpr std::size_t kChecksumBytes = 4;

// Appends `value` and its checksum to `out`.
inline void append_checked(std::string& out, std::string_view key, std::string_view value) {
  out.append(value);
  base::append_le(out, base::crc32c(value, base::crc32c(key)));
}

// The value without its checksum, or nothing if that is not right.
inline std::optional<std::string_view> verified(std::string_view key, std::string_view stored) {
  if (stored.size() < kChecksumBytes) return std::nullopt;
  const std::string_view value = stored.substr(0, stored.size() - kChecksumBytes);
  const auto expected = base::ByteReader(stored.substr(value.size())).le<std::uint32_t>();
  if (base::crc32c(value, base::crc32c(key)) != expected) return std::nullopt;
  return value;
}

}  // namespace tq::store
