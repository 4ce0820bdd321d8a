// Fixed records from one list of their fields: a record names them once, in the order on disk, and that list is what writes,
// reads and measures it. Fields are little-endian; enumerations are stored as their numbers, bool as a byte. Most of those
// bytes are zero, so they are packed: for each 8 of them a byte whose bits say which are not, and then those.
#pragma once

#include "base/bytes.hpp"

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

namespace tq::model {

// The unsigned type in which a field is stored.
template <class Field>
constexpr auto stored(Field field) {
  if constexpr (std::is_same_v<Field, bool>) {
    return static_cast<std::uint8_t>(field);
  } else if constexpr (std::is_enum_v<Field>) {
    return stored(static_cast<std::underlying_type_t<Field>>(field));
  } else {
    return static_cast<std::make_unsigned_t<Field>>(field);
  }
}
template <class Field>
using Stored = decltype(stored(Field{}));

// Writes fields one after the other into memory that is large enough.
class FieldWriter {
 public:
  explicit FieldWriter(char* to) : to_(to) {}

  template <class Field>
  void operator()(const Field& field) {
    auto value = stored(field);
    if constexpr (std::endian::native == std::endian::big) value = base::swap_bytes(value);
    std::memcpy(to_, &value, sizeof value);
    to_ += sizeof value;
  }

 private:
  char* to_;
};

template <class Field>
void read_field(base::ByteReader& reader, Field& field) {
  const auto value = reader.le<Stored<Field>>();
  if constexpr (std::is_same_v<Field, bool>) {
    field = value != 0;
  } else {
    field = static_cast<Field>(value);
  }
}

// Appends the bytes, packed.
inline void append_packed(std::string& out, std::string_view bytes) {
  for (std::size_t start = 0; start < bytes.size(); start += 8) {
    const std::string_view group = bytes.substr(start, 8);
    const std::size_t tag = out.size();
    out.push_back('\0');
    for (std::size_t i = 0; i < group.size(); ++i) {
      if (group[i] == 0) continue;
      out[tag] = static_cast<char>(out[tag] | 1 << i);
      out.push_back(group[i]);
    }
  }
}

// Reads as many packed bytes as `to` has, which must be zero before. False if they are not packed as they would be here.
inline bool read_packed(base::ByteReader& reader, std::span<char> to) {
  for (std::size_t start = 0; start < to.size(); start += 8) {
    const auto tag = reader.le<std::uint8_t>();
    for (std::size_t i = 0; i < 8 && tag >> i != 0; ++i) {
      if ((tag >> i & 1) == 0) continue;
      const std::string_view byte = reader.take(1);
      if (byte.empty() || byte[0] == 0 || start + i >= to.size()) return false;
      to[start + i] = byte[0];
    }
  }
  return reader.ok();
}

// The bytes that the fields take which `visit` hands to its argument.
template <class Visit>
constexpr std::size_t fields_size(Visit visit) {
  std::size_t size = 0;
  visit([&size]<class Field>(const Field&) { size += sizeof(Stored<Field>); });
  return size;
}

}  // namespace tq::model
