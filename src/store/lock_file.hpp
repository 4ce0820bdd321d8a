// `jobs.tq-locks`: byte ranges of one empty file, locked with open file description locks (F_OFD_SETLK), which the kernel
// drops when the last descriptor of the description is closed, however its process ends.
//
//   byte 0             the write lock: held around every write transaction, and around opening and closing
//   byte 1             the turn: held while waiting for byte 0, so that who writes in a loop comes back behind who waits. Without
//                      it six such processes kept a seventh waiting for up to half a second; with it 4 ms, for 6 % of speed
//   byte 2             the intake's end: held while records are written to it, or numbers given out
//   byte 3             the intake's flush: held while one is under way
//   byte 2^32 + n      worker n lives
//   byte 2^62 + i      shared: the data file with inode i is open under the name of this lock file
//
// LMDB's own mutex is never contended, because it can hang for ever when a process that waits for it is killed.
#pragma once

#include <tq/types.hpp>

#include "base/fd.hpp"

#include <string>
#include <sys/types.h>

namespace tq::store {

// Thread-safe. After fork() the child's copy is dead: it locks nothing, and its descriptor is closed there, so that a
// lock does not outlive the process that took it.
class LockFile {
 public:
  // Opens or creates the file. An empty path makes one in memory (shared by this process and what it hands the
  // descriptors to).
  explicit LockFile(const std::string& path);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  // Holds the write lock. Blocks; interrupted waits go on. Threads of one process are ordered by a mutex of the caller.
  void lock_write();
  void unlock_write();

  // The two locks of the intake. They block, are interrupted and are ordered as the write lock.
  void lock_intake() { lock_byte(kIntakeByte); }
  void unlock_intake() { unlock_byte(kIntakeByte); }
  // False if another process has it.
  bool try_lock_flush();
  void unlock_flush() { unlock_byte(kFlushByte); }

  // Takes the lock of a worker and returns the descriptor that holds it: the worker lives until the last duplicate of it
  // (also those inherited by other processes) is closed. Throws Conflict if it is taken.
  base::Fd hold_worker(WorkerId worker);
  // Does somebody hold it? Also true for a worker of this process.
  bool worker_alive(WorkerId worker) const;

  // Marks, until this is destroyed, that the data file with this inode is open under our name. False, and nothing is
  // marked, if another data file is: the one that was here before, deleted or replaced while a process has it open.
  bool mark_open(ino_t inode);
  // Does another process have any data file open under our name?
  bool in_use() const;
  // The inode of the lock file itself.
  ino_t inode() const;

 private:
  static constexpr std::int64_t kIntakeByte = 2;
  static constexpr std::int64_t kFlushByte = 3;

  void lock_byte(std::int64_t byte);
  void unlock_byte(std::int64_t byte);
  base::Fd reopen() const;

  std::string path_;
  pid_t pid_;
  base::Fd fd_;
};

// A shared lock on one byte of `fd`, at 2^62 + `value`, as a mark that others can see. False, and no lock, if somebody has
// marked the file with another value.
bool hold_mark(int fd, std::uint64_t value, const std::string& name);

}  // namespace tq::store
