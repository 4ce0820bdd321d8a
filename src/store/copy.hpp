// A copy of a store's records, while others work on it. It is made record by record, not page by page: each checksum is proven
// on the way, the copy has no free pages, and none of LMDB's mutexes is waited for (mdb_env_copy2 would).
#pragma once

#include "store/transaction.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tq::store {

// How far something has come: `done` of about `all`.
using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;
// What the copy is to have in place of a value; nothing: the same.
using Alter = std::function<std::optional<std::string>(Tree tree, std::string_view key, std::string_view value)>;

// Copies one state of `from`, with its side files, into the empty store `made` (making.hpp). What lies in the intake is not in it:
// take it in first. Returns the number of records. One read transaction is held meanwhile: what others write makes the
// file of `from` grow. Throws Damaged.
std::uint64_t copy_records(Environment& from, Environment& made, const Alter& alter, const Progress& progress);

// Visits every record of a tree in the order of keys; `value` has its checksum proven and removed, or is nothing if that is wrong.
void visit_tree(const Transaction& txn, Tree tree,
                const std::function<void(std::string_view key, std::optional<std::string_view> value,
                                         std::string_view stored)>& visit);
// How many there are.
std::uint64_t count_records(const Transaction& txn, Tree tree);

}  // namespace tq::store
