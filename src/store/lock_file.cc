#include "store/lock_file.hpp"

#include "base/fail.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::store {
namespace {

constexpr off_t kWriteByte = 0;
constexpr off_t kTurnByte = 1;
constexpr off_t kWorkerBase = off_t{1} << 32;
constexpr off_t kMarkBase = off_t{1} << 62;
constexpr off_t kMarkMask = kMarkBase - 1;

struct flock byte_lock(short type, off_t start, off_t length = 1) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = start;
  lock.l_len = length;
  return lock;
}

int lock_call(int fd, int command, struct flock& lock) {
  int result;
  do result = ::fcntl(fd, command, &lock);
  while (result != 0 && errno == EINTR);
  return result;
}

// Is any byte of the range locked by another open file description?
bool is_locked(int fd, off_t start, off_t length, const std::string& name) {
  if (length <= 0) return false;
  struct flock lock = byte_lock(F_WRLCK, start, length);
  if (lock_call(fd, F_OFD_GETLK, lock) != 0)
    base::throw_system(fmt::format("cannot ask for locks of '{}'", name), errno);
  return lock.l_type != F_UNLCK;
}

// The descriptors that a forked child must not keep: through them it would hold its parent's locks beyond the parent's death.
// No mutex, since a fork may come at any moment; a lock file too many for the table goes unguarded.
class ForkGuard {
 public:
  static ForkGuard& instance() {
    static ForkGuard& guard = *new ForkGuard;  // never destroyed: stores in static objects may be closed at exit
    return guard;
  }
  void add(int fd) { exchange(-1, fd); }
  void remove(int fd) { exchange(fd, -1); }

 private:
  ForkGuard() {
    for (std::atomic<int>& slot : fds_) slot.store(-1);
    ::pthread_atfork(nullptr, nullptr, [] { instance().close_all(); });
  }
  void exchange(int from, int to) {
    for (std::atomic<int>& slot : fds_) {
      int expected = from;
      if (slot.compare_exchange_strong(expected, to)) return;
    }
  }
  void close_all() {
    for (std::atomic<int>& slot : fds_) {
      const int fd = slot.exchange(-1);
      if (fd >= 0) ::close(fd);
    }
  }

  std::array<std::atomic<int>, 256> fds_;
};

base::Fd open_lock_file(const std::string& path) {
  if (!path.empty()) return base::open_file(path, O_RDWR | O_CREAT);
  base::Fd fd(::memfd_create("tq-locks", MFD_CLOEXEC));
  if (!fd) base::throw_system("cannot make a lock file in memory", errno);
  return fd;
}

}  // namespace

LockFile::LockFile(const std::string& path) : path_(path), pid_(::getpid()), fd_(open_lock_file(path)) {
  ForkGuard::instance().add(fd_.get());
}

LockFile::~LockFile() {
  if (pid_ == ::getpid()) {
    ForkGuard::instance().remove(fd_.get());
  } else {
    fd_.release();  // closed at fork; the number may be somebody else's by now
  }
}

void LockFile::lock_write() {
  TQ_ASSERT(pid_ == ::getpid());
  lock_byte(kTurnByte);
  try {
    lock_byte(kWriteByte);
  } catch (...) {
    unlock_byte(kTurnByte);
    throw;
  }
  unlock_byte(kTurnByte);
}

void LockFile::unlock_write() { unlock_byte(kWriteByte); }

bool LockFile::try_lock_flush() {
  struct flock lock = byte_lock(F_WRLCK, kFlushByte);
  if (lock_call(fd_.get(), F_OFD_SETLK, lock) == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  base::throw_system(fmt::format("cannot take the flush lock '{}'", path_), errno);
}

void LockFile::lock_byte(std::int64_t byte) {
  struct flock lock = byte_lock(F_WRLCK, byte);
  if (lock_call(fd_.get(), F_OFD_SETLKW, lock) == 0) return;
  base::throw_system(fmt::format("cannot take a lock of '{}'", path_), errno);
}

void LockFile::unlock_byte(std::int64_t byte) {
  struct flock lock = byte_lock(F_UNLCK, byte);
  lock_call(fd_.get(), F_OFD_SETLK, lock);
}

base::Fd LockFile::reopen() const {
  // By number, since the file may have been renamed or removed; by path where /proc is not mounted.
  const std::string link = fmt::format("/proc/self/fd/{}", fd_.get());
  base::Fd fd(::open(link.c_str(), O_RDWR | O_CLOEXEC));
  return fd ? std::move(fd) : base::open_file(path_, O_RDWR);
}

base::Fd LockFile::hold_worker(WorkerId worker) {
  base::Fd fd = reopen();
  struct flock lock = byte_lock(F_WRLCK, kWorkerBase + static_cast<off_t>(worker));
  if (lock_call(fd.get(), F_OFD_SETLK, lock) == 0) return fd;
  if (errno == EAGAIN || errno == EACCES) base::fail<Conflict>("worker {} is running already", worker);
  base::throw_system(fmt::format("cannot lock worker {} in '{}'", worker, path_), errno);
}

bool LockFile::worker_alive(WorkerId worker) const {
  return is_locked(fd_.get(), kWorkerBase + static_cast<off_t>(worker), 1, path_);
}

bool LockFile::mark_open(ino_t inode) { return hold_mark(fd_.get(), inode, path_); }

bool LockFile::in_use() const { return is_locked(fd_.get(), kMarkBase, kMarkMask, path_); }

ino_t LockFile::inode() const {
  struct stat status {};
  if (::fstat(fd_.get(), &status) != 0) base::throw_system(fmt::format("cannot look at '{}'", path_), errno);
  return status.st_ino;
}

bool hold_mark(int fd, std::uint64_t value, const std::string& name) {
  const off_t mark = kMarkBase + static_cast<off_t>(value & static_cast<std::uint64_t>(kMarkMask));
  constexpr off_t kEnd = kMarkBase + kMarkMask;
  struct flock lock = byte_lock(F_RDLCK, mark);
  if (lock_call(fd, F_OFD_SETLK, lock) != 0) base::throw_system(fmt::format("cannot lock '{}'", name), errno);
  // Looked for others only now: of two that come at once under different names at least one sees the other.
  if (!is_locked(fd, kMarkBase, mark - kMarkBase, name) && !is_locked(fd, mark + 1, kEnd - mark, name)) return true;
  lock = byte_lock(F_UNLCK, mark);
  lock_call(fd, F_OFD_SETLK, lock);
  return false;
}

}  // namespace tq::store
