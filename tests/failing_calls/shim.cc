// Preloaded into a process to be tested: counts the calls through which it asks the system for something, and makes one of
// them fail. See shim.hpp. C library only, no allocation once it has begun.
#include "failing_calls/shim.hpp"

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}

namespace {

enum Class { kWrite, kSync, kOpen, kRead, kSpace, kName, kLock, kMmap, kStart, kAlloc, kClasses };
static_assert(kClasses == tq::test::kCallClasses.size());

enum class Mode { once, sticky, half };

char directory[4096];
std::size_t directory_size = 0;
int failing_class = -1;
long failing_number = 0;
int failing_errno = 0;
Mode failing_mode = Mode::once;

std::atomic<bool> has_begun = false;
std::atomic<long> counts[kClasses];
thread_local int hushed __attribute__((tls_model("initial-exec"))) = 0;

struct Hush {
  Hush() { ++hushed; }
  ~Hush() { --hushed; }
  Hush(const Hush&) = delete;
  Hush& operator=(const Hush&) = delete;
};

template <class Function>
Function* real(const char* name) {
  const Hush hush;
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

bool is_below(const char* path) {
  return std::strncmp(path, directory, directory_size) == 0 &&
         (path[directory_size] == 0 || path[directory_size] == '/');
}

// The path behind a descriptor; empty if there is none.
const char* path_of(int fd, char (&buffer)[4096]) {
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t size = ::readlink(link, buffer, sizeof buffer - 1);
  buffer[size < 0 ? 0 : size] = 0;
  return buffer;
}

void tell(const char* call, const char* path) {
  static auto* const real_write = real<ssize_t(int, const void*, size_t)>("write");
  char line[4300];
  const int size = std::snprintf(line, sizeof line, "fired %s %s\n", call, path);
  static_cast<void>(real_write(STDOUT_FILENO, line, static_cast<size_t>(size)));
  if (std::getenv("TQ_FAIL_TRACE") == nullptr) return;
  void* frames[48];
  ::backtrace_symbols_fd(frames, ::backtrace(frames, 48), STDERR_FILENO);
}

// Counts a call that matters. True if it is the one to fail.
bool fails(Class of, const char* call, const char* path) {
  const long number = counts[of].fetch_add(1) + 1;
  if (of != failing_class || failing_number == 0) return false;
  if (failing_mode == Mode::sticky ? number < failing_number : number != failing_number) return false;
  const Hush hush;
  if (number == failing_number) tell(call, path);
  errno = failing_errno;
  return true;
}

bool counts_now() { return has_begun.load(std::memory_order_relaxed) && hushed == 0; }

bool fails_on(Class of, const char* call, int fd) {
  if (!counts_now()) return false;
  const int saved = errno;
  char buffer[4096];
  const char* const path = path_of(fd, buffer);
  errno = saved;
  return is_below(path) && fails(of, call, path);
}

bool fails_at(Class of, const char* call, const char* path) {
  return counts_now() && is_below(path) && fails(of, call, path);
}

bool fails_anyhow(Class of, const char* call) { return counts_now() && fails(of, call, ""); }

// How much of it is to be written: -1: nothing, it fails.
ssize_t allowed(const char* call, int fd, size_t size) {
  if (!fails_on(kWrite, call, fd)) return static_cast<ssize_t>(size);
  return failing_mode == Mode::half && size > 1 ? static_cast<ssize_t>(size / 2) : -1;
}

__attribute__((constructor)) void prepare() {
  const char* const plan = std::getenv("TQ_FAIL");
  const char* const where = std::getenv("TQ_FAIL_DIRECTORY");
  if (where != nullptr) std::snprintf(directory, sizeof directory, "%s", where);
  directory_size = std::strlen(directory);
  char name[16] = {};
  char mode[16] = {};
  if (plan != nullptr && std::sscanf(plan, "%15[^:]:%ld:%d:%15s", name, &failing_number, &failing_errno, mode) == 4) {
    for (int i = 0; i < kClasses; ++i) {
      if (std::strcmp(name, tq::test::kCallClasses[static_cast<std::size_t>(i)]) == 0) failing_class = i;
    }
    failing_mode = std::strcmp(mode, "half") == 0 ? Mode::half : *mode == 's' ? Mode::sticky : Mode::once;
  }
  void* frame[1];
  ::backtrace(frame, 1);     // loads what it needs now
  ::unsetenv("LD_PRELOAD");  // the commands of jobs are not what is tested
}

}  // namespace

// Each passes on to the next function of that name.
#define TQ_REAL(name) static auto* const next = real<decltype(name)>(#name)

extern "C" {

void tq_shim_begin() { has_begun = true; }
void tq_shim_hush(int on) { hushed += on != 0 ? 1 : -1; }
long tq_shim_count(int of) { return counts[of].load(); }

// --- write ---

ssize_t write(int fd, const void* bytes, size_t size) {
  TQ_REAL(write);
  const ssize_t most = allowed("write", fd, size);
  return most < 0 ? -1 : next(fd, bytes, static_cast<size_t>(most));
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  TQ_REAL(pwrite);
  const ssize_t most = allowed("pwrite", fd, size);
  return most < 0 ? -1 : next(fd, bytes, static_cast<size_t>(most), at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) { return pwrite(fd, bytes, size, at); }
ssize_t writev(int fd, const iovec* parts, int count) {
  TQ_REAL(writev);
  if (allowed("writev", fd, 1) == 1) return next(fd, parts, count);
  return failing_mode == Mode::half ? next(fd, parts, (count + 1) / 2) : -1;
}
ssize_t pwritev(int fd, const iovec* parts, int count, off_t at) {
  TQ_REAL(pwritev);
  if (allowed("pwritev", fd, 1) == 1) return next(fd, parts, count, at);
  return failing_mode == Mode::half ? next(fd, parts, (count + 1) / 2, at) : -1;
}
ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t at) { return pwritev(fd, parts, count, at); }

// --- sync ---

int fsync(int fd) {
  TQ_REAL(fsync);
  return fails_on(kSync, "fsync", fd) ? -1 : next(fd);
}
int fdatasync(int fd) {
  TQ_REAL(fdatasync);
  return fails_on(kSync, "fdatasync", fd) ? -1 : next(fd);
}
int msync(void* map, size_t size, int flags) {
  TQ_REAL(msync);
  return fails_anyhow(kSync, "msync") ? -1 : next(map, size, flags);
}

// --- open, read ---

static unsigned mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, unsigned) : 0;
}

int open(const char* path, int flags, ...) {
  TQ_REAL(open);
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = mode_of(flags, arguments);
  va_end(arguments);
  return fails_at(kOpen, "open", path) ? -1 : next(path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = mode_of(flags, arguments);
  va_end(arguments);
  return open(path, flags, mode);
}
int openat(int at, const char* path, int flags, ...) {
  TQ_REAL(openat);
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = mode_of(flags, arguments);
  va_end(arguments);
  return fails_at(kOpen, "openat", path) ? -1 : next(at, path, flags, mode);
}
ssize_t read(int fd, void* bytes, size_t size) {
  TQ_REAL(read);
  return fails_on(kRead, "read", fd) ? -1 : next(fd, bytes, size);
}
ssize_t pread(int fd, void* bytes, size_t size, off_t at) {
  TQ_REAL(pread);
  return fails_on(kRead, "pread", fd) ? -1 : next(fd, bytes, size, at);
}
ssize_t pread64(int fd, void* bytes, size_t size, off64_t at) { return pread(fd, bytes, size, at); }

// --- space, names, locks ---

int fallocate(int fd, int mode, off_t at, off_t size) {
  TQ_REAL(fallocate);
  return fails_on(kSpace, "fallocate", fd) ? -1 : next(fd, mode, at, size);
}
int fallocate64(int fd, int mode, off64_t at, off64_t size) { return fallocate(fd, mode, at, size); }
int posix_fallocate(int fd, off_t at, off_t size) {
  TQ_REAL(posix_fallocate);
  return fails_on(kSpace, "posix_fallocate", fd) ? failing_errno : next(fd, at, size);
}
int posix_fallocate64(int fd, off64_t at, off64_t size) { return posix_fallocate(fd, at, size); }
int ftruncate(int fd, off_t size) noexcept {
  TQ_REAL(ftruncate);
  return fails_on(kSpace, "ftruncate", fd) ? -1 : next(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept { return ftruncate(fd, size); }
int link(const char* from, const char* to) noexcept {
  TQ_REAL(link);
  return fails_at(kName, "link", to) ? -1 : next(from, to);
}
int rename(const char* from, const char* to) noexcept {
  TQ_REAL(rename);
  return fails_at(kName, "rename", to) ? -1 : next(from, to);
}
int unlink(const char* path) noexcept {
  TQ_REAL(unlink);
  return fails_at(kName, "unlink", path) ? -1 : next(path);
}
int mkdir(const char* path, mode_t mode) noexcept {
  TQ_REAL(mkdir);
  return fails_at(kName, "mkdir", path) ? -1 : next(path, mode);
}
int flock(int fd, int operation) noexcept {
  TQ_REAL(flock);
  return fails_on(kLock, "flock", fd) ? -1 : next(fd, operation);
}
int fcntl(int fd, int command, ...) {
  TQ_REAL(fcntl);
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  const bool locks = command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_SETLK || command == F_SETLKW;
  const bool frees = locks && static_cast<const struct flock*>(argument)->l_type == F_UNLCK;
  if (locks && !frees && fails_on(kLock, "fcntl", fd)) return -1;
  return next(fd, command, argument);
}
int fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void* const argument = va_arg(arguments, void*);
  va_end(arguments);
  return fcntl(fd, command, argument);
}

// --- memory, threads and processes ---

void* mmap(void* at, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  TQ_REAL(mmap);
  return fails_anyhow(kMmap, "mmap") ? MAP_FAILED : next(at, size, protection, flags, fd, offset);
}
void* mmap64(void* at, size_t size, int protection, int flags, int fd, off64_t offset) noexcept {
  return mmap(at, size, protection, flags, fd, offset);
}
int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*run)(void*), void* argument) noexcept {
  TQ_REAL(pthread_create);
  return fails_anyhow(kStart, "pthread_create") ? failing_errno : next(thread, attributes, run, argument);
}
int posix_spawn(pid_t* pid, const char* path, const posix_spawn_file_actions_t* actions,
                const posix_spawnattr_t* attributes, char* const argv[], char* const envp[]) {
  TQ_REAL(posix_spawn);
  return fails_anyhow(kStart, "posix_spawn") ? failing_errno : next(pid, path, actions, attributes, argv, envp);
}
pid_t fork() noexcept {
  TQ_REAL(fork);
  return fails_anyhow(kStart, "fork") ? -1 : next();
}
void* malloc(size_t size) noexcept { return fails_anyhow(kAlloc, "malloc") ? nullptr : __libc_malloc(size); }
void* calloc(size_t count, size_t size) noexcept {
  return fails_anyhow(kAlloc, "calloc") ? nullptr : __libc_calloc(count, size);
}
void* realloc(void* bytes, size_t size) noexcept {
  return fails_anyhow(kAlloc, "realloc") ? nullptr : __libc_realloc(bytes, size);
}
int posix_memalign(void** bytes, size_t alignment, size_t size) noexcept {
  if (fails_anyhow(kAlloc, "posix_memalign")) return ENOMEM;
  *bytes = __libc_memalign(alignment, size);
  return *bytes == nullptr ? ENOMEM : 0;
}
void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return fails_anyhow(kAlloc, "aligned_alloc") ? nullptr : __libc_memalign(alignment, size);
}

}  // extern "C"
