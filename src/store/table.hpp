// Typed keys over the trees: a key is a struct of fixed-width fields that sorts by them in the order of declaration.
//
//   struct ReadyKey {
//     static constexpr Tree kTree = Tree::index;
//     static constexpr std::uint8_t kKind = 1;               // the first byte of every key of this table
//     std::uint32_t queue; std::uint64_t due; std::uint64_t job;
//     static constexpr auto fields(auto& self) { return std::tie(self.queue, self.due, self.job); }
//   };
//
// Integers are stored big-endian (signed ones with the sign bit flipped), so that the bytes sort like the numbers.
#pragma once

#include "base/bytes.hpp"
#include "base/fail.hpp"
#include "store/transaction.hpp"

#include <optional>
#include <tuple>
#include <type_traits>

namespace tq::store {

namespace detail {
template <class T>
auto to_sortable(T value) {
  if constexpr (std::is_signed_v<T>) {
    using U = std::make_unsigned_t<T>;
    return static_cast<U>(static_cast<U>(value) ^ (U{1} << (sizeof(U) * 8 - 1)));
  } else {
    return value;
  }
}
template <class T, class U>
void from_sortable(U raw, T& value) {
  if constexpr (std::is_signed_v<T>) raw = static_cast<U>(raw ^ (U{1} << (sizeof(U) * 8 - 1)));
  value = static_cast<T>(raw);
}
}  // namespace detail

// A key as it is stored. No struct of fields is longer.
class KeyBytes {
 public:
  KeyBytes() = default;
  explicit KeyBytes(std::uint8_t kind) { append(kind); }

  template <std::unsigned_integral T>
  void append(T field) {
    if constexpr (std::endian::native == std::endian::little) field = base::swap_bytes(field);
    TQ_ASSERT(size_ + sizeof field <= sizeof bytes_);
    std::memcpy(bytes_ + size_, &field, sizeof field);
    size_ += sizeof field;
  }
  operator std::string_view() const { return {bytes_, size_}; }
  bool operator==(const KeyBytes& other) const { return std::string_view(*this) == std::string_view(other); }

 private:
  char bytes_[32];
  std::size_t size_ = 0;
};

template <class Key>
KeyBytes encode_key(const Key& key) {
  KeyBytes bytes(Key::kKind);
  std::apply([&](const auto&... field) { (bytes.append(detail::to_sortable(field)), ...); }, Key::fields(key));
  return bytes;
}

// Throws Damaged if the bytes are no such key.
template <class Key>
Key decode_key(std::string_view bytes) {
  Key key{};
  base::ByteReader reader(bytes);
  const bool kind_is_right = reader.le<std::uint8_t>() == Key::kKind;
  std::apply(
      [&](auto&... field) { (detail::from_sortable(reader.be<decltype(detail::to_sortable(field))>(), field), ...); },
      Key::fields(key));
  if (!kind_is_right || !reader.done()) base::fail<Damaged>("a key of kind {} is damaged", int{Key::kKind});
  return key;
}

template <class Key>
std::optional<std::string_view> get(const Transaction& txn, const Key& key) {
  std::string_view value;
  if (!txn.get(Key::kTree, encode_key(key), value)) return std::nullopt;
  return value;
}
template <class Key>
void put(WriteTransaction& txn, const Key& key, std::string_view value = {}) {
  txn.put(Key::kTree, encode_key(key), value);
}
template <class Key>
void append(WriteTransaction& txn, const Key& key, std::string_view value) {
  txn.append(Key::kTree, encode_key(key), value);
}
template <class Key>
bool erase(WriteTransaction& txn, const Key& key) {
  return txn.erase(Key::kTree, encode_key(key));
}

// A position among the raw keys of one kind in a tree. One transaction, one thread; ends with its transaction. After a
// change in the same transaction, seek again.
class RawCursor {
 public:
  RawCursor(const Transaction& txn, Tree tree, std::uint8_t kind);
  ~RawCursor();
  RawCursor(RawCursor&&) noexcept;
  RawCursor(const RawCursor&) = delete;

  // To the first key that is not less; the last that is not greater; the first; the last. False: there is none of this kind.
  bool seek(std::string_view key);
  bool seek_back(std::string_view key);
  bool first();
  bool last();
  bool next();
  bool prev();
  std::string_view key() const;
  // With its checksum proven and removed. Throws Damaged.
  std::string_view value() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

template <class Key>
class Cursor {
 public:
  explicit Cursor(const Transaction& txn) : raw_(txn, Key::kTree, Key::kKind) {}
  bool seek(const Key& key) { return raw_.seek(encode_key(key)); }
  bool seek_back(const Key& key) { return raw_.seek_back(encode_key(key)); }
  bool first() { return raw_.first(); }
  bool last() { return raw_.last(); }
  bool next() { return raw_.next(); }
  bool prev() { return raw_.prev(); }
  Key key() const { return decode_key<Key>(raw_.key()); }
  std::string_view value() const { return raw_.value(); }

 private:
  RawCursor raw_;
};

}  // namespace tq::store
