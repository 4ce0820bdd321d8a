#include "store/transaction.hpp"

#include "base/bytes.hpp"
#include "base/fail.hpp"
#include "base/failpoint.hpp"
#include "store/checksum.hpp"
#include "store/transaction_impl.hpp"

#include <algorithm>

namespace tq::store {
namespace {

constexpr std::uint64_t kSmallBytes = 64 * 1024;  // a transaction that puts less hardly touches the reserve
constexpr std::uint64_t kPutOverheadBytes = 64;   // of a record in its page, and its share of the pages above

// How far the intake has been taken in. Nothing is stored as long as it has never held anything.
constexpr std::string_view kIntakeKey("\0\1", 2);

std::string to_hex(std::string_view bytes) {
  std::string hex;
  for (const char byte : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return hex;
}

}  // namespace

std::string encode_intake_end(IntakeEnd end) {
  std::string bytes;
  base::append_le(bytes, end.position);
  base::append_le(bytes, end.checksum);
  return bytes;
}

std::string_view intake_key() { return kIntakeKey; }

IntakeEnd intake_end(Transaction::Impl& txn) {
  std::string_view bytes;
  if (!txn.get(Tree::catalog, kIntakeKey, bytes)) return {};
  base::ByteReader reader(bytes);
  IntakeEnd end;
  end.position = reader.le<std::uint64_t>();
  end.checksum = reader.le<std::uint32_t>();
  if (!reader.done()) base::fail<Damaged>("'{}' is damaged: its intake's record is", txn.store.name());
  return end;
}

Transaction::Impl::Impl(Environment& owner, MDB_txn* begun, bool writing)
    : environment(owner), store(owner.impl()), txn(begun), writes(writing), thread(std::this_thread::get_id()) {}

Transaction::Impl::~Impl() {
  if (txn == nullptr || store.pid != ::getpid()) return;
  assert_usable();
  end();
}

void Transaction::Impl::end() noexcept {
  detach_cursors();
  MDB_txn* const ending = std::exchange(txn, nullptr);
  if (!writes) {
    store.readers.give(ending);
    return;
  }
  mdb_txn_abort(ending);
  if (number_count_ != 0) store.intake->give_back(numbers_.first, number_count_);
  store.end_write();
}

void Transaction::Impl::detach_cursors() {
  for (CursorLink* link : cursors_) {
    mdb_cursor_close(link->cursor);
    *link = {};
  }
  cursors_.clear();
  for (auto& kinds : near_) {
    for (MDB_cursor*& cursor : kinds) {
      if (cursor != nullptr) mdb_cursor_close(std::exchange(cursor, nullptr));
    }
  }
}

MDB_cursor* Transaction::Impl::cursor_near(Tree of, std::string_view key) {
  const std::size_t kind = key.empty() ? 0 : static_cast<unsigned char>(key[0]) % kKinds;
  MDB_cursor*& cursor = near_[static_cast<std::size_t>(of)][kind];
  if (cursor == nullptr) {
    if (const int code = mdb_cursor_open(txn, tree(of), &cursor)) {
      throw_lmdb(fmt::format("cannot read '{}'", store.name()), code);
    }
  }
  return cursor;
}

void Transaction::Impl::link(CursorLink& cursor, Tree of) {
  assert_usable();
  if (const int code = mdb_cursor_open(txn, tree(of), &cursor.cursor)) {
    throw_lmdb(fmt::format("cannot read '{}'", store.name()), code);
  }
  cursor.transaction = this;
  cursors_.push_back(&cursor);
}

void Transaction::Impl::unlink(CursorLink& cursor) {
  mdb_cursor_close(cursor.cursor);
  std::erase(cursors_, &cursor);
}

void Transaction::Impl::fail_damaged(Tree tree, std::string_view key, const std::string& name) {
  std::string job;
  const bool is_of_job = tree == Tree::jobs || tree == Tree::logs || tree == Tree::blobs;  // then: kind, job, ...
  if (is_of_job && key.size() >= 9)
    job = fmt::format(" of job {}", base::ByteReader(key.substr(1)).be<std::uint64_t>());
  base::fail<Damaged>("'{}' is damaged: the record {}{} in the tree '{}' does not match its checksum", name,
                      to_hex(key), job, kTreeNames[static_cast<std::size_t>(tree)]);
}

bool Transaction::Impl::get(Tree of, std::string_view key, std::string_view& value) {
  assert_usable();
  MDB_val wanted = to_val(key);
  MDB_val stored{};
  const int code = writes ? mdb_cursor_get(cursor_near(of, key), &wanted, &stored, MDB_SET)
                          : mdb_get(txn, tree(of), &wanted, &stored);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) throw_lmdb(fmt::format("cannot read '{}'", store.name()), code);
  const std::optional<std::string_view> proven = verified(key, to_view(stored));
  if (!proven) fail_damaged(of, key, store.name());
  value = *proven;
  return true;
}

void Transaction::Impl::fail_change(const char* operation, int code) {
  failed_ = true;
  const std::string what = fmt::format("cannot {} '{}'", operation, store.name());
  // A large transaction writes pages before its commit, and may find the disk full here.
  if (code > 0 && code != ENOMEM) store.fail_write(what, code);
  throw_lmdb(what, code);
}

void Transaction::Impl::put(Tree to, std::string_view key, std::string_view value, unsigned flags) {
  assert_usable();
  // Copied first, since both may point into pages that this very change moves.
  record_.assign(key);
  append_checked(record_, key, value);
  MDB_val where = to_val(std::string_view(record_).substr(0, key.size()));
  MDB_val what = to_val(std::string_view(record_).substr(key.size()));
  MDB_cursor* const cursor = cursor_near(to, key);
  int code = mdb_cursor_put(cursor, &where, &what, flags);
  if (code == MDB_KEYEXIST) code = mdb_cursor_put(cursor, &where, &what, 0);
  if (code != 0) fail_change("write to", code);
  bytes_ += record_.size() + kPutOverheadBytes;
}

bool Transaction::Impl::erase(Tree from, std::string_view key) {
  assert_usable();
  record_.assign(key);
  MDB_val where = to_val(record_);
  MDB_cursor* const cursor = cursor_near(from, key);
  MDB_val what{};
  int code = mdb_cursor_get(cursor, &where, &what, MDB_SET);
  if (code == 0) code = mdb_cursor_del(cursor, 0);
  if (code != 0 && code != MDB_NOTFOUND) fail_change("write to", code);
  return code == 0;
}

void Transaction::Impl::require_room() {
  assert_usable();
  adds_ = true;
  store.require_quota(bytes_);
  store.require_reserve(bytes_);
}

void Transaction::Impl::commit(Sync sync) {
  assert_usable();
  try {
    if (failed_) throw_lmdb(fmt::format("cannot commit to '{}'", store.name()), MDB_BAD_TXN);
    // What a large batch adds must not come out of the reserve, as far as that can be told.
    if (adds_ && bytes_ > kSmallBytes) store.require_reserve(2 * bytes_);
    store.prepare_to_remove(removed.size());
  } catch (...) {
    end();
    throw;
  }
  detach_cursors();
  try {
    store.commit(std::exchange(txn, nullptr), sync, std::move(removed), taken_);
  } catch (const DiskFull&) {
    throw;
  } catch (...) {
    keep_added();  // it may have happened, and records name them
    throw;
  }
  keep_added();
  // A commit cannot be taken back, so nothing may be thrown after it.
  [this]() noexcept {
    for (const std::function<void()>& action : after_commit) action();
  }();
}

std::uint64_t Transaction::Impl::take_in(std::size_t count, std::uint64_t next, const WriteTransaction::Taker& take) {
  assert_usable();
  if (store.intake == nullptr) return next;
  store.intake->raise_next(next);
  numbers_ = store.intake->reserve(count);
  number_count_ = count;
  const IntakeEnd before = intake_end(*this);
  const IntakeEnd end = store.intake->visit(before, numbers_.upto,
                                            [&](const IntakeRecord& record) { take(record.number, record.bytes); });
  if (end.position < numbers_.upto) {
    base::fail<Damaged>("'{}' is damaged: a record that no transaction has taken does not match its checksum",
                        store.intake->path());
  }
  taken_ = end.position;
  if (end != before) put(Tree::catalog, kIntakeKey, encode_intake_end(end), 0);
  return numbers_.first;
}

// A transaction of LMDB within the transaction.
void Transaction::Impl::attempt(const std::function<void()>& edit) {
  assert_usable();
  const std::size_t actions = after_commit.size();
  const std::size_t files = added.size();
  const std::size_t removals = removed.size();
  const std::uint64_t bytes = bytes_;
  MDB_txn* const outer = txn;
  detach_cursors();
  if (const int code = mdb_txn_begin(store.env.get(), outer, 0, &txn)) {
    txn = outer;
    throw_lmdb(fmt::format("cannot write to '{}'", store.name()), code);
  }
  try {
    edit();
    detach_cursors();
    const int code = mdb_txn_commit(std::exchange(txn, outer));
    if (code != 0) fail_change("write to", code);
  } catch (...) {
    detach_cursors();
    if (txn != outer) mdb_txn_abort(std::exchange(txn, outer));
    after_commit.resize(actions);
    while (added.size() > files) added.pop_back();
    removed.resize(removals);
    bytes_ = bytes;
    failed_ = false;
    throw;
  }
}

void Transaction::Impl::keep_added() {
  for (SideFile& file : added) file.keep();
}

Transaction::Transaction(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

Environment& Transaction::environment() const { return impl_->environment; }
bool Transaction::get(Tree tree, std::string_view key, std::string_view& value) const {
  return impl_->get(tree, key, value);
}

WriteTransaction::~WriteTransaction() = default;

void WriteTransaction::put(Tree tree, std::string_view key, std::string_view value) { impl_->put(tree, key, value, 0); }
void WriteTransaction::append(Tree tree, std::string_view key, std::string_view value) {
  impl_->put(tree, key, value, MDB_APPEND);
}
bool WriteTransaction::erase(Tree tree, std::string_view key) { return impl_->erase(tree, key); }
void WriteTransaction::require_room() { impl_->require_room(); }
std::uint64_t WriteTransaction::take_in(std::size_t count, std::uint64_t next, const Taker& take) {
  return impl_->take_in(count, next, take);
}
void WriteTransaction::attempt(const std::function<void()>& edit) { impl_->attempt(edit); }
void WriteTransaction::after_commit(std::function<void()> action) {
  impl_->assert_usable();
  impl_->after_commit.push_back(std::move(action));
}
void WriteTransaction::commit(Sync sync) { impl_->commit(sync); }

}  // namespace tq::store
