// The read transactions of one environment, made once and then only reset and renewed: making one takes LMDB's reader-table
// mutex, which may hang if a process is killed while it waits for it, and so is done under the write lock only.
#pragma once

#include "store/lmdb.hpp"

#include <mutex>
#include <vector>

namespace tq::store {

inline constexpr unsigned kMaxReaders = 1024;

// Thread-safe.
class ReaderPool {
 public:
  ReaderPool() { free_.reserve(kMaxReaders); }  // so that giving back cannot fail

  // Renewed and looking at the newest state, or null if none is free (or the free ones have lost their slots).
  // Throws what throw_lmdb does.
  MDB_txn* take(const std::string& name);
  // A new one; the caller holds the write lock.
  static MDB_txn* make(MDB_env* env, const std::string& name);
  // Ends its view and keeps it for the next.
  void give(MDB_txn* txn) noexcept;
  // Ends them all. Only when no one uses the pool.
  void clear();

 private:
  std::mutex mutex_;
  std::vector<MDB_txn*> free_;  // by mutex_
};

}  // namespace tq::store
