// The inside of an open store, shared by the files of this folder.
#pragma once

#include "store/environment.hpp"
#include "store/fair_mutex.hpp"
#include "store/file_system.hpp"
#include "store/format.hpp"
#include "store/intake.hpp"
#include "store/lmdb.hpp"
#include "store/readers.hpp"
#include "store/room.hpp"

#include <array>
#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace tq::store {

// Holds the kernel's write lock of a store for a scope.
class WriteLock {
 public:
  explicit WriteLock(std::shared_ptr<LockFile> locks) : locks_(std::move(locks)) { locks_->lock_write(); }
  ~WriteLock() { locks_->unlock_write(); }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

 private:
  const std::shared_ptr<LockFile> locks_;  // outlives a store whose opening fails
};

// Thread-safe. Made by opening.cc; the members that are not set there are constant from then on.
class Environment::Impl {
 public:
  Impl(std::filesystem::path file, std::shared_ptr<LockFile> lock_file, base::Fd data_file);
  ~Impl();

  // For texts: the path, or ":memory:".
  std::string name() const { return path.empty() ? ":memory:" : path.native(); }

  // Throws after fork().
  void refuse_after_fork() const;

  // A read transaction of LMDB, renewed. Give it back to `readers`.
  MDB_txn* begin_read();
  // Takes the locks and begins. The transaction ends with end_write().
  MDB_txn* begin_write();
  // Gives the locks back, after LMDB's transaction has ended.
  void end_write();
  // As begin_write, in opening, which holds the kernel's lock and gives it back itself.
  MDB_txn* begin_write_locked();

  // Before a commit that has side files to remove, so that nothing can fail once it has happened.
  void prepare_to_remove(std::size_t files);
  // Commits, ends and gives the locks back. Throws DiskFull or IoError; after the latter writing is refused. The side files
  // `unreferenced` (paths) are removed once the commit is durable. The intake has been taken up to `taken`.
  void commit(MDB_txn* txn, Sync sync, std::vector<std::string> unreferenced, std::uint64_t taken);
  // Throws for a failed write: DiskFull if it was for want of space only; else IoError, and nothing more is written.
  [[noreturn]] void fail_write(const std::string& what, int code);

  // Throws once writing is refused, or after fork().
  void check_writable();
  // Nothing more is written through this environment.
  void refuse_writing(const std::string& reason);

  // Bytes in pages within the data file that hold nothing.
  std::uint64_t count_free_bytes();
  // May `added` bytes more be written: as far as the quota goes, and as far as the reserve can be kept beside them?
  bool fits_quota(std::uint64_t added);
  bool keeps_reserve(std::uint64_t added);
  // Throws QueueFull if `added` bytes more are over the quota, DiskFull if the reserve cannot be kept beside them.
  void require_quota(std::uint64_t added);
  void require_reserve(std::uint64_t added);

  // In order of destruction, last first: LMDB is closed while the lock file is still open.
  const std::filesystem::path path;  // empty in memory
  const pid_t pid;
  const std::shared_ptr<LockFile> locks;
  const base::Fd data;  // the data file, a descriptor of ours; none in memory
  LmdbEnvironment env;
  std::array<MDB_dbi, kTreeCount> trees{};
  std::string uuid;
  FileId id{};
  std::atomic<std::uint64_t> quota_bytes = 0;
  ReaderPool readers;
  Reserve reserve;
  std::unique_ptr<Intake> intake;              // none in memory
  bool opening = false;                        // the opener holds the kernel's lock, and gives it back itself
  bool alone = false;                          // opened by open_alone()
  std::atomic<bool> directory_synced = false;  // that of the side files, into its parent, by this process

 private:
  MDB_txn* make_reader();
  bool is_for_want_of_space(int code);
  bool has_given_up();

  FairMutex writers_;
  std::atomic<std::thread::id> writer_;  // the thread inside begin_write() to end_write()
  std::uint64_t written_ = 0;            // transactions begun; by writers_
  std::vector<std::string> to_remove_;   // when the next commit is durable; by writers_
  mutable std::mutex failure_mutex_;
  std::atomic<bool> failed_ = false;
  std::string failure_;  // by failure_mutex_
};

}  // namespace tq::store
