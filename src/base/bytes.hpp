// Little-endian fields in byte strings: how every fixed record of tq is laid out.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace tq::base {

template <std::unsigned_integral T>
constexpr T swap_bytes(T value) {
  T swapped = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    swapped = static_cast<T>((swapped << 8) | (value & 0xff));
    value = static_cast<T>(value >> 8);
  }
  return swapped;
}

template <std::unsigned_integral T>
void append_le(std::string& out, T value) {
  if constexpr (std::endian::native == std::endian::big) value = swap_bytes(value);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  out.append(bytes, sizeof(T));
}

template <std::unsigned_integral T>
void append_be(std::string& out, T value) {
  append_le(out, swap_bytes(value));
}

// Reads fields one after the other. A read past the end gives zeros and makes `ok()` false, so that a decoder can read a
// whole record and look once.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <std::unsigned_integral T>
  T le() {
    T value = 0;
    const std::string_view field = take(sizeof(T));
    if (!ok_) return 0;
    std::memcpy(&value, field.data(), sizeof(T));
    if constexpr (std::endian::native == std::endian::big) value = swap_bytes(value);
    return value;
  }
  template <std::unsigned_integral T>
  T be() {
    return swap_bytes(le<T>());
  }
  // The next `size` bytes, not copied.
  std::string_view take(std::size_t size) {
    if (size > bytes_.size()) {
      ok_ = false;
      bytes_ = {};
      return {};
    }
    const std::string_view field = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return field;
  }
  std::string_view rest() const { return bytes_; }
  bool ok() const { return ok_; }
  // Everything was there and nothing is left.
  bool done() const { return ok_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace tq::base
