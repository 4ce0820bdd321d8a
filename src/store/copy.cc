#include "store/copy.hpp"

#include "base/fail.hpp"
#include "store/blob_record.hpp"
#include "store/checksum.hpp"
#include "store/format.hpp"
#include "store/making.hpp"
#include "store/side_file.hpp"
#include "store/transaction_impl.hpp"

#include <set>

namespace tq::store {
namespace {

constexpr std::array<Tree, kTreeCount> kTrees = {Tree::catalog, Tree::jobs, Tree::index,
                                                 Tree::events,  Tree::logs, Tree::blobs};
constexpr std::uint64_t kStep = 1000;  // records from one report of progress to the next

// The side files come first, since others remove them while we are at it. A state whose files are all there is what can
// be copied; those that are gone belong to jobs which the next state has not got any more.
class SideFileCopier {
 public:
  explicit SideFileCopier(Environment& made) : made_(made) {}

  // False if one has been removed since.
  bool copy(const Transaction& txn) {
    needed_.clear();
    Cursor<BlobKey> cursor(txn);
    for (bool more = cursor.first(); more; more = cursor.next()) {
      const std::optional<BlobRecord> record = decode_blob(cursor.value());
      if (!record || record->form != BlobForm::file) continue;
      needed_.insert(record->file);
      if (copied_.contains(record->file)) continue;
      const auto bytes = get_blob(txn, cursor.key().job, static_cast<BlobKind>(cursor.key().kind));
      if (!bytes) return false;
      write_side_file(made_, record->file, *bytes);
      copied_.insert(record->file);
    }
    return true;
  }

  // Those of states that were given up.
  void drop_others() const {
    for (const std::string& name : copied_) {
      if (!needed_.contains(name)) remove_side_file(made_, name);
    }
    if (!needed_.empty()) sync_side_files(made_);
  }

 private:
  Environment& made_;
  std::set<std::string> copied_;
  std::set<std::string> needed_;
};

ReadTransaction state_with_files(Environment& from, SideFileCopier& files) {
  for (;;) {
    ReadTransaction txn = from.read();
    if (files.copy(txn)) return txn;
  }
}

}  // namespace

void visit_tree(const Transaction& txn, Tree tree,
                const std::function<void(std::string_view, std::optional<std::string_view>, std::string_view)>& visit) {
  CursorLink link;
  txn.impl().link(link, tree);
  const std::unique_ptr<CursorLink, void (*)(CursorLink*)> unlink(&link, [](CursorLink* cursor) {
    if (cursor->transaction != nullptr) cursor->transaction->unlink(*cursor);
  });
  MDB_val key{};
  MDB_val stored{};
  int code = mdb_cursor_get(link.cursor, &key, &stored, MDB_FIRST);
  for (; code == 0; code = mdb_cursor_get(link.cursor, &key, &stored, MDB_NEXT)) {
    visit(to_view(key), verified(to_view(key), to_view(stored)), to_view(stored));
  }
  if (code != MDB_NOTFOUND) throw_lmdb(fmt::format("cannot read '{}'", txn.impl().store.name()), code);
}

std::uint64_t count_records(const Transaction& txn, Tree tree) {
  MDB_stat stat{};
  if (const int code = mdb_stat(txn.impl().txn, txn.impl().tree(tree), &stat)) {
    throw_lmdb(fmt::format("cannot read '{}'", txn.impl().store.name()), code);
  }
  return stat.ms_entries;
}

std::uint64_t copy_records(Environment& from, Environment& made, const Alter& alter, const Progress& progress) {
  SideFileCopier files(made);
  const ReadTransaction txn = state_with_files(from, files);
  std::uint64_t all = 0;
  for (const Tree tree : kTrees) all += count_records(txn, tree);
  std::uint64_t copied = 0;
  Filler filler(made);
  for (const Tree tree : kTrees) {
    visit_tree(txn, tree, [&](std::string_view key, std::optional<std::string_view> value, std::string_view) {
      if (!value) Transaction::Impl::fail_damaged(tree, key, txn.impl().store.name());
      if (tree == Tree::catalog && key == intake_key()) return;
      const std::optional<std::string> other = alter(tree, key, *value);
      filler.put(tree, key, other ? std::string_view(*other) : *value);
      if (++copied % kStep == 0 && progress) progress(copied, all);
    });
  }
  filler.finish();
  files.drop_others();
  collect_side_files(made);  // what an attempt that was killed has left
  if (progress) progress(all, all);
  return copied;
}

}  // namespace tq::store
