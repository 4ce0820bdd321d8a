// Transactions as scopes. A read transaction is one consistent state; a write transaction belongs to the thread that began it.
#pragma once

#include "store/environment.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tq::store {

// The trees of the file. On disk: the names are in FORMAT.md; never reuse one.
enum class Tree : std::uint8_t {
  catalog = 0,  // few and hot: format, counters, queues, workers
  jobs = 1,     // one record a job, by id
  index = 2,    // every derived order: ready, timers, active, final
  events = 3,   // the event log, by number
  logs = 4,     // output of jobs
  blobs = 5,    // payloads, results and saved states that are too big for their record
};
inline constexpr std::size_t kTreeCount = 6;

// What both kinds can do. Bytes handed out by get() and by cursors point into the map: they are good until the next change
// in the same transaction, or its end.
class Transaction {
 public:
  Environment& environment() const;
  // The value of a key with its checksum proven and removed, or nothing. Throws Damaged.
  bool get(Tree tree, std::string_view key, std::string_view& value) const;

  class Impl;
  Impl& impl() const { return *impl_; }

 protected:
  explicit Transaction(std::unique_ptr<Impl> impl);
  Transaction(Transaction&&) noexcept;
  ~Transaction();
  std::unique_ptr<Impl> impl_;
};

// Short: copy what is needed and leave. Any thread may use it, one at a time.
class ReadTransaction : public Transaction {
 public:
  ReadTransaction(ReadTransaction&&) noexcept = default;
  ~ReadTransaction() = default;

 private:
  friend class Environment;
  using Transaction::Transaction;
};

enum class Sync {
  full,     // durable when commit() returns
  relaxed,  // consistent at once, durable with the next full commit: a power cut may undo it, kill -9 may not
};

// Only the thread that began it may touch it (asserted). Aborts unless committed. Never runs user code.
class WriteTransaction : public Transaction {
 public:
  WriteTransaction(WriteTransaction&&) noexcept = default;
  ~WriteTransaction();

  void put(Tree tree, std::string_view key, std::string_view value);
  // As put, for keys in ascending order at the end of the tree: packs pages full.
  void append(Tree tree, std::string_view key, std::string_view value);
  // False if there was none.
  bool erase(Tree tree, std::string_view key);

  // Refuses with QueueFull when the quota is reached, and with DiskFull when the reserve for completions is gone and
  // cannot be had back. For transactions that add; those that complete or delete do not ask.
  void require_room();

  // What an intake record is to whoever takes it in: its number, and the bytes that were added.
  using Taker = std::function<void(std::uint64_t number, std::string_view record)>;
  // Visits the records of the intake that no transaction has taken, in their order; with the commit they are taken. Once in a
  // transaction, before it adds anything. Gives out `count` numbers above those of all records visited and returns the
  // first, or `next` if the store is in memory. If this is not committed they are given out again, as far as possible.
  std::uint64_t take_in(std::size_t count, std::uint64_t next, const Taker& take);

  // Runs `edit`. If it throws, all that it has changed in this transaction is undone, what it threw is passed on, and the
  // transaction goes on as if it had never run.
  void attempt(const std::function<void()>& edit);

  // Runs `action` after this transaction has been committed (and never if it is not): unlinking side files, ringing bells.
  void after_commit(std::function<void()> action);

  // Makes it so. Throws DiskFull (nothing was kept; going on is fine) or IoError (nothing is known to be kept; the
  // environment refuses all further writing). The transaction is over in either case.
  void commit(Sync sync = Sync::full);

 private:
  friend class Environment;
  using Transaction::Transaction;
};

}  // namespace tq::store
