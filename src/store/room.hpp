// Room to write: the quota, and the reserve that lets jobs be completed on a full disk.
//
// A completion changes a few pages, and LMDB writes changed pages to new places. So the store keeps 1 MiB which nobody can
// take from it: disk blocks allocated to the data file beyond its last page (fallocate with FALLOC_FL_KEEP_SIZE), and pages
// that are free within it. Transactions that add are refused when this much cannot be kept; those that complete or delete
// do not ask, and live on it. Considered and dropped: a ballast file that is deleted in need (any other program may take the
// blocks first, and the failed transaction must be run again), and free pages in LMDB alone (whoever adds would eat them).
#pragma once

#include "store/lmdb.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace tq::store {

inline constexpr std::uint64_t kReserveBytes = 1 << 20;

// Bytes in pages that hold nothing any more. `read` is a read transaction.
std::uint64_t free_bytes(MDB_txn* read);
// Bytes up to the end of the last page that was ever used, committed.
std::uint64_t extent_bytes(MDB_env* env);

// Thread-safe.
class Reserve {
 public:
  // `data` is a descriptor of the data file, -1 for a store in memory, which has no reserve.
  explicit Reserve(int data);

  // Sees to it that kReserveBytes + `more` are allocated beyond `extent`. False if they cannot be had.
  bool keep(std::uint64_t extent, std::uint64_t more);
  // True if the disk gives nothing more: tells a write that was cut short (LMDB calls it EIO) from a broken disk.
  bool exhausted(std::uint64_t extent) const;

 private:
  bool allocate(std::uint64_t end) const;

  int data_;
  std::uint64_t size_limit_;                  // of a file, from RLIMIT_FSIZE
  std::atomic<std::uint64_t> allocated_ = 0;  // known to be allocated up to here
};

}  // namespace tq::store
