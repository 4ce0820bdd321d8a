#include "store/room.hpp"

#include "base/fail.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <limits>
#include <sys/resource.h>
#include <sys/stat.h>

namespace tq::store {
namespace {

constexpr MDB_dbi kFreeTree = 0;               // LMDB's own tree of free pages
constexpr std::uint64_t kStepBytes = 1 << 20;  // allocated at once, so that growing asks the file system rarely

std::uint64_t page_bytes(MDB_env* env) {
  MDB_stat stat{};
  mdb_env_stat(env, &stat);
  return stat.ms_psize;
}

std::uint64_t file_size_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  return limit.rlim_cur;
}

}  // namespace

std::uint64_t free_bytes(MDB_txn* read) {
  MDB_cursor* cursor = nullptr;
  if (const int code = mdb_cursor_open(read, kFreeTree, &cursor))
    throw_lmdb("cannot read the list of free pages", code);
  std::uint64_t pages = 0;
  MDB_val key{};
  MDB_val list{};
  while (mdb_cursor_get(cursor, &key, &list, MDB_NEXT) == 0) {
    std::size_t length = 0;  // a record is a count, then as many page numbers
    std::memcpy(&length, list.mv_data, sizeof length);
    pages += length;
  }
  mdb_cursor_close(cursor);
  return pages * page_bytes(mdb_txn_env(read));
}

std::uint64_t extent_bytes(MDB_env* env) {
  MDB_envinfo info{};
  mdb_env_info(env, &info);
  return (info.me_last_pgno + 1) * page_bytes(env);
}

Reserve::Reserve(int data) : data_(data), size_limit_(file_size_limit()) {}

bool Reserve::keep(std::uint64_t extent, std::uint64_t more) {
  if (data_ < 0) return true;
  const std::uint64_t needed = extent + kReserveBytes + more;
  if (needed > size_limit_) return false;
  if (needed <= allocated_.load(std::memory_order_relaxed)) return true;
  struct stat status {};
  // Blocks count what others have allocated, too: most often nothing is left to do. A file with holes counts short, and is
  // filled up.
  std::uint64_t end = needed;
  const bool is_there = ::fstat(data_, &status) == 0 && static_cast<std::uint64_t>(status.st_blocks) * 512 >= needed;
  if (!is_there && allocate(needed + kStepBytes)) {
    end += kStepBytes;
  } else if (!is_there && !allocate(needed)) {
    return false;
  }
  allocated_.store(end, std::memory_order_relaxed);
  return true;
}

bool Reserve::allocate(std::uint64_t end) const {
  int result;
  do result = ::fallocate(data_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(end));
  while (result != 0 && errno == EINTR);
  // A file system that cannot allocate ahead keeps no reserve: there completing may fail on a full disk.
  return result == 0 || errno == EOPNOTSUPP || errno == ENOSYS;
}

bool Reserve::exhausted(std::uint64_t extent) const {
  if (data_ < 0) return false;
  struct stat status {};
  if (::fstat(data_, &status) != 0) return false;
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::uint64_t probe = std::max<std::uint64_t>(size, extent) + kStepBytes;
  return probe > size_limit_ || !allocate(probe);
}

}  // namespace tq::store
