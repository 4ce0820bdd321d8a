#include "store/table.hpp"

#include "store/checksum.hpp"
#include "store/transaction_impl.hpp"

namespace tq::store {

struct RawCursor::Impl : CursorLink {
  Impl(Tree of, std::uint8_t of_kind) : tree(of), kind(of_kind) {}

  Tree tree;
  std::uint8_t kind;
  bool found = false;       // the last move led to a key
  bool positioned = false;  // and to one of our kind
  MDB_val key{};
  MDB_val stored{};

  // Moves; true if that leads to a key of our kind.
  bool move(MDB_cursor_op operation) {
    TQ_ASSERT(transaction != nullptr);  // not after its transaction has ended
    transaction->assert_usable();
    const int code = mdb_cursor_get(cursor, &key, &stored, operation);
    if (code != 0 && code != MDB_NOTFOUND) {
      throw_lmdb(fmt::format("cannot read '{}'", transaction->store.name()), code);
    }
    found = code == 0;
    positioned = found && key.mv_size > 0 && to_view(key)[0] == static_cast<char>(kind);
    return positioned;
  }

  // To the first key that is not less.
  bool move_to(std::string_view wanted) {
    key = to_val(wanted);
    return move(MDB_SET_RANGE);
  }
  // Back by one from where that led, which may be past the end of the tree.
  bool step_back() { return move(found ? MDB_PREV : MDB_LAST); }
};

RawCursor::RawCursor(const Transaction& txn, Tree tree, std::uint8_t kind) : impl_(std::make_unique<Impl>(tree, kind)) {
  txn.impl().link(*impl_, tree);
}

RawCursor::~RawCursor() {
  if (impl_ && impl_->transaction != nullptr) impl_->transaction->unlink(*impl_);
}

RawCursor::RawCursor(RawCursor&&) noexcept = default;

bool RawCursor::seek(std::string_view key) { return impl_->move_to(key); }

bool RawCursor::seek_back(std::string_view key) {
  if (impl_->move_to(key) && to_view(impl_->key) == key) return true;
  return impl_->step_back();
}

bool RawCursor::first() {
  const char lowest = static_cast<char>(impl_->kind);
  return impl_->move_to({&lowest, 1});
}

bool RawCursor::last() {
  if (impl_->kind == 0xff) return impl_->move(MDB_LAST);
  const char above = static_cast<char>(impl_->kind + 1);
  impl_->move_to({&above, 1});
  return impl_->step_back();
}

bool RawCursor::next() { return impl_->positioned && impl_->move(MDB_NEXT); }
bool RawCursor::prev() { return impl_->positioned && impl_->move(MDB_PREV); }

std::string_view RawCursor::key() const {
  TQ_ASSERT(impl_->positioned && impl_->transaction != nullptr);
  return to_view(impl_->key);
}

std::string_view RawCursor::value() const {
  const std::optional<std::string_view> proven = verified(key(), to_view(impl_->stored));
  if (!proven) Transaction::Impl::fail_damaged(impl_->tree, key(), impl_->transaction->store.name());
  return *proven;
}

}  // namespace tq::store
