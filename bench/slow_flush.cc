// For LD_PRELOAD: every flush takes $SLOW_FLUSH_US microseconds more (1,000 unless it says otherwise), as on a disk that
// has no cache to answer from. A flush is fdatasync, fsync, sync_file_range, and any write to a descriptor with O_DSYNC or
// O_SYNC. Flushes at the same time wait at the same time.
#undef _FILE_OFFSET_BITS  // pwrite and pwrite64 are both here, under their own names
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

void delay() {
  static const long us = [] {
    const char* text = std::getenv("SLOW_FLUSH_US");
    return text == nullptr ? 1000L : std::atol(text);
  }();
  const int error = errno;
  timespec left = {us / 1'000'000, us % 1'000'000 * 1000};
  while (::nanosleep(&left, &left) != 0) {
  }
  errno = error;
}

void delay_if_synchronous(int fd) {
  const int error = errno;
  const int flags = ::fcntl(fd, F_GETFL);
  errno = error;
  if (flags >= 0 && (flags & O_DSYNC) != 0) delay();  // O_SYNC has the bits of O_DSYNC
}

// The function that this one stands before.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int fdatasync(int fd) {
  static const auto real = next<int(int)>("fdatasync");
  const int result = real(fd);
  delay();
  return result;
}

int fsync(int fd) {
  static const auto real = next<int(int)>("fsync");
  const int result = real(fd);
  delay();
  return result;
}

int sync_file_range(int fd, off64_t offset, off64_t count, unsigned flags) {
  static const auto real = next<int(int, off64_t, off64_t, unsigned)>("sync_file_range");
  const int result = real(fd, offset, count, flags);
  delay();
  return result;
}

ssize_t write(int fd, const void* bytes, size_t count) {
  static const auto real = next<ssize_t(int, const void*, size_t)>("write");
  const ssize_t result = real(fd, bytes, count);
  delay_if_synchronous(fd);
  return result;
}

ssize_t writev(int fd, const iovec* pieces, int count) {
  static const auto real = next<ssize_t(int, const iovec*, int)>("writev");
  const ssize_t result = real(fd, pieces, count);
  delay_if_synchronous(fd);
  return result;
}

ssize_t pwrite(int fd, const void* bytes, size_t count, off_t offset) {
  static const auto real = next<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  const ssize_t result = real(fd, bytes, count, offset);
  delay_if_synchronous(fd);
  return result;
}

ssize_t pwrite64(int fd, const void* bytes, size_t count, off64_t offset) {
  static const auto real = next<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  const ssize_t result = real(fd, bytes, count, offset);
  delay_if_synchronous(fd);
  return result;
}

ssize_t pwritev(int fd, const iovec* pieces, int count, off_t offset) {
  static const auto real = next<ssize_t(int, const iovec*, int, off_t)>("pwritev");
  const ssize_t result = real(fd, pieces, count, offset);
  delay_if_synchronous(fd);
  return result;
}

}  // extern "C"
