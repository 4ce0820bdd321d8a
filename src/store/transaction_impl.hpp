// The inside of a transaction, shared by the files of this folder.
#pragma once

#include "base/fail.hpp"
#include "store/environment_impl.hpp"
#include "store/side_file.hpp"
#include "store/transaction.hpp"

#include <array>
#include <thread>

namespace tq::store {

// What a cursor and its transaction know of each other. LMDB frees the cursors of a write transaction when it ends, so the
// transaction takes them away from their owners before.
struct CursorLink {
  MDB_cursor* cursor = nullptr;
  Transaction::Impl* transaction = nullptr;
};

// How far the intake has been taken in, in that transaction's view.
IntakeEnd intake_end(Transaction::Impl& txn);
// The record in the tree `catalog` that says it.
std::string_view intake_key();
std::string encode_intake_end(IntakeEnd end);

// One thread at a time; of a write transaction: one thread.
class Transaction::Impl {
 public:
  // Takes over what begin_read() or begin_write() returned.
  Impl(Environment& owner, MDB_txn* begun, bool writing);
  // Aborts what was not committed.
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // The value with its checksum proven and removed; nothing on a miss.
  bool get(Tree tree, std::string_view key, std::string_view& value);
  void put(Tree tree, std::string_view key, std::string_view value, unsigned flags);
  bool erase(Tree tree, std::string_view key);
  void commit(Sync sync);
  void require_room();
  void attempt(const std::function<void()>& edit);
  std::uint64_t take_in(std::size_t count, std::uint64_t next, const WriteTransaction::Taker& take);

  void link(CursorLink& cursor, Tree tree);
  void unlink(CursorLink& cursor);

  MDB_dbi tree(Tree tree) const { return store.trees[static_cast<std::size_t>(tree)]; }
  // Throws Damaged that names the record.
  [[noreturn]] static void fail_damaged(Tree tree, std::string_view key, const std::string& name);
  // Only the thread that began a write transaction may touch it: LMDB's mutex would never be released by another.
  void assert_usable() const { TQ_ASSERT(txn != nullptr && (!writes || thread == std::this_thread::get_id())); }

  Environment& environment;
  Environment::Impl& store;
  MDB_txn* txn;  // null once it is over
  const bool writes;
  const std::thread::id thread;
  std::vector<std::function<void()>> after_commit;
  std::vector<SideFile> added;       // to be kept on commit
  std::vector<std::string> removed;  // paths of side files, to be removed once the commit is durable

 private:
  // A cursor of a write transaction that stands where a key of this kind was read or changed last: the next one is often on
  // the same page, and then nobody has to come down from the root.
  MDB_cursor* cursor_near(Tree tree, std::string_view key);
  void end() noexcept;
  void keep_added();
  void detach_cursors();
  [[noreturn]] void fail_change(const char* operation, int code);

  static constexpr std::size_t kKinds = 8;  // first bytes of keys; what shares a place is only slower
  std::vector<CursorLink*> cursors_;
  std::array<std::array<MDB_cursor*, kKinds>, kTreeCount> near_{};
  Intake::Reserved numbers_;      // given out to it
  std::size_t number_count_ = 0;  // of those
  std::uint64_t taken_ = 0;       // end of what it has taken in
  std::string record_;            // key, value and checksum of the record being written
  std::uint64_t bytes_ = 0;       // put so far
  bool failed_ = false;           // a change has failed, and LMDB would not commit
  bool adds_ = false;             // asked for room: what it adds must not eat the reserve
};

}  // namespace tq::store
