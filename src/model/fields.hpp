// Fixed records from one list of their fields: a record names them once, in the order on disk, and that list is what writes,
// reads and measures it. Fields are little-endian; enumerations are stored as their numbers, bool as a byte. Most of those
// bytes are zero, so they are packed: for each 8 of them a byte whose bits say which are not, and then those.
#pragma once

#include "base/bytes.hpp"

#include <algorithm>
#include <bit>
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

// A field that is stored as its complement, so that -1, its default, takes no room.
template <class Field>
struct Complement {
  Field& field;
};
template <class Field>
Complement(Field&) -> Complement<Field>;

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
  template <class Field>
  void operator()(Complement<Field> complement) {
    (*this)(static_cast<std::remove_const_t<Field>>(~complement.field));
  }

 private:
  char* to_;
};

// Reads them back, from memory that has them all.
class FieldReader {
 public:
  explicit FieldReader(const char* from) : from_(from) {}

  template <class Field>
  void operator()(Field& field) {
    Stored<Field> value;
    std::memcpy(&value, from_, sizeof value);
    from_ += sizeof value;
    if constexpr (std::endian::native == std::endian::big) value = base::swap_bytes(value);
    if constexpr (std::is_same_v<Field, bool>) {
      field = value != 0;
    } else {
      field = static_cast<Field>(value);
    }
  }
  template <class Field>
  void operator()(Complement<Field> complement) {
    (*this)(complement.field);
    complement.field = static_cast<Field>(~complement.field);
  }

 private:
  const char* from_;
};

// The first 8 bytes, or fewer if there are no more, as a number whose lowest byte is the first.
inline std::uint64_t load_group(std::string_view bytes) {
  std::uint64_t group = 0;
  if (bytes.size() >= sizeof group) {
    std::memcpy(&group, bytes.data(), sizeof group);
  } else {
    std::memcpy(&group, bytes.data(), bytes.size());
  }
  if constexpr (std::endian::native == std::endian::big) group = base::swap_bytes(group);
  return group;
}

inline void store_group(char* to, std::uint64_t group) {
  if constexpr (std::endian::native == std::endian::big) group = base::swap_bytes(group);
  std::memcpy(to, &group, sizeof group);
}

// Its bits say which bytes of the group are not zero.
constexpr std::uint8_t group_tag(std::uint64_t group) {
  constexpr std::uint64_t kLow = 0x7f7f7f7f7f7f7f7f;
  const std::uint64_t high_bits = (((group & kLow) + kLow) | group) & ~kLow;      // of the bytes that are not zero
  return static_cast<std::uint8_t>((high_bits >> 7) * 0x0102040810204080 >> 56);  // one beside the other
}

// Calls `visit(start, size)` for each run of bits that are set, from the lowest: mostly there are one or two.
template <class Visit>
void each_run(unsigned tag, Visit visit) {
  for (int start = 0; tag != 0;) {
    const int zeros = std::countr_zero(tag);
    const int ones = std::countr_one(tag >> zeros);
    start += zeros;
    visit(start, ones);
    start += ones;
    tag >>= zeros + ones;
  }
}

// Appends the bytes, packed.
inline void append_packed(std::string& out, std::string_view bytes) {
  const std::size_t before = out.size();
  const std::size_t groups = (bytes.size() + 7) / 8;
  out.resize(before + groups + bytes.size() + 8);
  char* to = out.data() + before;
  for (std::size_t start = 0; start < bytes.size(); start += 8) {
    const std::uint64_t group = load_group({bytes.data() + start, bytes.size() - start});
    const std::uint8_t tag = group_tag(group);
    *to++ = static_cast<char>(tag);
    each_run(tag, [&](int from, int size) {
      store_group(to, group >> 8 * from);  // what is too much is written over
      to += size;
    });
  }
  out.resize(static_cast<std::size_t>(to - out.data()));
}

// Reads as many packed bytes as `to` has, which must be zero before. False if they are not packed as they would be here.
inline bool read_packed(base::ByteReader& reader, std::span<char> to) {
  const std::string_view bytes = reader.rest();
  std::size_t at = 0;
  for (std::size_t start = 0; start < to.size(); start += 8) {
    if (at == bytes.size()) return false;
    const auto tag = static_cast<std::uint8_t>(bytes[at++]);
    if (tag == 0) continue;
    std::uint64_t group = 0;
    each_run(tag, [&](int from, int size) {
      const std::size_t run = std::min(at, bytes.size());
      const std::uint64_t ahead = load_group({bytes.data() + run, bytes.size() - run});
      group |= (size == 8 ? ahead : ahead & ((std::uint64_t{1} << 8 * size) - 1)) << 8 * from;
      at += static_cast<std::size_t>(size);
    });
    const std::size_t size = std::min<std::size_t>(to.size() - start, 8);
    const bool is_within = size == 8 || group >> 8 * size == 0;
    if (at > bytes.size() || group_tag(group) != tag || !is_within) return false;
    char unpacked[8];
    store_group(unpacked, group);
    size == 8 ? std::memcpy(&to[start], unpacked, 8) : std::memcpy(&to[start], unpacked, size);
  }
  reader.take(at);
  return true;
}

struct FieldsSize {
  std::size_t bytes = 0;
  template <class Field>
  constexpr void operator()(const Field&) {
    bytes += sizeof(Stored<Field>);
  }
  template <class Field>
  constexpr void operator()(Complement<Field> complement) {
    (*this)(complement.field);
  }
};

// The bytes that the fields take which `visit` hands to its argument.
template <class Visit>
constexpr std::size_t fields_size(Visit visit) {
  FieldsSize size;
  visit(size);
  return size.bytes;
}

}  // namespace tq::model
