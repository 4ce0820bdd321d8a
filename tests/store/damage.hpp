// Damage as a disk does it: bytes change underneath the store.
#pragma once

#include "store/lmdb.hpp"
#include "store/table.hpp"
#include "store/transaction_impl.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace tq::store {

// What stands under the key, with its checksum.
inline std::string stored_bytes(const Transaction& txn, Tree tree, std::string_view key) {
  std::string name(key);
  MDB_val where = to_val(name);
  MDB_val stored{};
  BOOST_TEST_REQUIRE(mdb_get(txn.impl().txn, txn.impl().tree(tree), &where, &stored) == 0);
  return std::string(to_view(stored));
}

// Writes bytes as they are, where a checksum belongs to them.
inline void put_stored(WriteTransaction& txn, Tree tree, std::string_view key, std::string bytes) {
  std::string name(key);
  MDB_val where = to_val(name);
  MDB_val what = to_val(bytes);
  BOOST_TEST_REQUIRE(mdb_put(txn.impl().txn, txn.impl().tree(tree), &where, &what, 0) == 0);
}

// Flips a bit of the byte `at`; of the one in the middle if that is not said.
inline void rot(WriteTransaction& txn, Tree tree, std::string_view key, std::optional<std::size_t> at = {}) {
  std::string bytes = stored_bytes(txn, tree, key);
  char& byte = bytes.at(at.value_or(bytes.size() / 2));
  byte = static_cast<char>(byte ^ 4);
  put_stored(txn, tree, key, std::move(bytes));
}
template <class Key>
void rot(WriteTransaction& txn, const Key& key, std::optional<std::size_t> at = {}) {
  rot(txn, Key::kTree, encode_key(key), at);
}

}  // namespace tq::store
