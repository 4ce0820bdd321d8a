// To be preloaded: records in one log (log.hpp) what all processes do to the durable files below a directory.
//
// A write is done and recorded within one lock, so that the log's order is the order in which it happened. A sync, and a write
// through an O_DSYNC descriptor, is recorded when it begins and, if it succeeds, when it has ended, and is done without the lock:
// it has made durable what had been recorded before its beginning, and nobody can know that before its end.
//
// What it does not see, or could not replay, must not go unnoticed: known calls of that kind are recorded as strange, and the
// replay compares what it has made of the whole log with the files themselves.
#include "power_cut/log.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdarg>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <span>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace {

using namespace tq::test::power_cut;

// The function of that name which would be called without this library.
#define TQ_REAL(name) static const auto real = reinterpret_cast<decltype(&::name)>(::dlsym(RTLD_NEXT, #name))

// What a descriptor is open on; inode 0: nothing of ours.
struct Open {
  std::atomic<std::uint64_t> inode;
  std::atomic<int> flags;
  std::atomic<Part> part;
};
constexpr int kDescriptors = 65536;
Open descriptors[kDescriptors];

LogHead* head = nullptr;
int log_fd = -1;
pthread_mutex_t turns = PTHREAD_MUTEX_INITIALIZER;  // of this process's threads
std::string* directory = nullptr;                   // with a slash at its end
std::string* no_sync = nullptr;

__attribute__((constructor)) void begin() {
  const char* const log = ::getenv(kLogVariable);
  const char* const dir = ::getenv(kDirVariable);
  const char* const none = ::getenv(kNoSyncVariable);
  if (log == nullptr || dir == nullptr) return;
  const int fd = static_cast<int>(::open(log, O_RDWR | O_CLOEXEC));
  void* const map = ::mmap(nullptr, kLogBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (map == MAP_FAILED) ::abort();
  log_fd = fd;
  directory = new std::string(std::string(dir) + '/');
  no_sync = new std::string(none != nullptr ? none : "");
  head = static_cast<LogHead*>(map);
}

// The log's lock. A process that is killed within leaves a log without its last record. Among processes it is a lock of the
// kernel: a robust mutex may hang for ever when a process is killed that waits for it.
class Turn {
 public:
  Turn() {
    ::pthread_mutex_lock(&turns);
    lock(F_WRLCK);
  }
  ~Turn() {
    lock(F_UNLCK);
    ::pthread_mutex_unlock(&turns);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  static void lock(short type) {
    const int before = errno;
    struct flock range {};
    range.l_type = type;
    range.l_len = 1;
    while (::fcntl(log_fd, F_OFD_SETLKW, &range) != 0) {
      if (errno != EINTR) ::abort();
    }
    errno = before;
  }
};

// Within the lock. Returns its position.
std::uint64_t append(Record record, std::string_view name, std::span<const iovec> parts) {
  record.name_bytes = static_cast<std::uint16_t>(name.size());
  const std::uint64_t position = head->end.load();
  if (position + record.size() > kLogBytes) ::abort();
  char* to = reinterpret_cast<char*>(head) + position;
  std::memcpy(to, &record, sizeof record);
  to += sizeof record;
  std::memcpy(to, name.data(), name.size());
  to += name.size();
  std::size_t left = record.bytes;
  for (const iovec& part : parts) {
    const std::size_t count = std::min(left, part.iov_len);
    std::memcpy(to, part.iov_base, count);
    to += count;
    left -= count;
  }
  head->end.store(position + record.size());
  return position;
}

std::uint64_t append(Kind kind, std::uint64_t inode, std::uint64_t offset, std::string_view name = {},
                     std::string_view bytes = {}) {
  const iovec part{const_cast<char*>(bytes.data()), bytes.size()};
  return append({inode, offset, static_cast<std::uint32_t>(bytes.size()), 0, kind, 0}, name, {&part, 1});
}

// errno is the real call's.
class Errno {
 public:
  ~Errno() { errno = saved_; }
  void take() { saved_ = errno; }

 private:
  int saved_ = errno;
};

void say_strange(const char* what) {
  const Turn turn;
  append(Kind::strange, 0, 0, {}, what);
}

// The name below the directory, "." for itself; empty if it is elsewhere.
std::string name_of(const char* path) {
  if (head == nullptr) return {};
  std::string absolute = path;
  if (path[0] != '/') {
    char here[PATH_MAX];
    if (::getcwd(here, sizeof here) != nullptr) absolute = std::string(here) + '/' + path;
  }
  if (absolute + '/' == *directory) return ".";
  return absolute.starts_with(*directory) ? absolute.substr(directory->size()) : std::string();
}

// The same, of what the store does not make again.
std::string durable_name(const char* path) {
  std::string name = name_of(path);
  return is_made_again(name) ? std::string() : name;
}

Open* find(int fd) {
  if (head == nullptr || fd < 0 || fd >= kDescriptors || descriptors[fd].inode.load() == 0) return nullptr;
  return &descriptors[fd];
}

bool is_synced(Part part) { return *no_sync != "all" && *no_sync != kPartNames[static_cast<int>(part)]; }

std::uint64_t inode_of(int fd) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 ? status.st_ino : 0;
}

int real_open(const char* path, int flags, mode_t mode) {
  TQ_REAL(open);
  return real(path, flags, mode);
}

int open_recorded(const char* path, int flags, mode_t mode) {
  const std::string name = durable_name(path);
  if (name.empty()) return real_open(path, flags, mode);
  const bool through = (flags & O_DSYNC) != 0;
  const Part part = (flags & O_DIRECTORY) != 0 ? Part::directory : through ? Part::meta : part_of(name);
  if (!is_synced(part)) flags &= ~(O_DSYNC | O_SYNC);
  const Turn turn;
  const bool was_there = ::access(path, F_OK) == 0;
  const int fd = real_open(path, flags, mode);
  if (fd < 0) return fd;
  Errno error;
  const std::uint64_t inode = inode_of(fd);
  if (fd >= kDescriptors || (flags & O_TMPFILE) == O_TMPFILE) append(Kind::strange, 0, 0, {}, "open");
  if (fd < kDescriptors) {
    descriptors[fd].flags = flags;
    descriptors[fd].part = part;
    descriptors[fd].inode = inode;
  }
  if (!was_there) append(Kind::create, inode, 0, name);
  if (was_there && (flags & O_TRUNC) != 0) append(Kind::truncate, inode, 0);
  return fd;
}

mode_t mode_of(int flags, va_list arguments) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, mode_t) : 0;
}

// Writes that go through to the disk are recorded before: from then on any part of them may be there.
template <class Call>
ssize_t write_through(const Open& open, std::uint64_t offset, std::span<const iovec> parts, std::size_t size,
                      Call call) {
  std::uint64_t position = 0;
  {
    const Turn turn;
    position = append({open.inode, offset, static_cast<std::uint32_t>(size), 0, Kind::write, 0}, {}, parts);
  }
  const ssize_t written = call();
  Errno error;
  const Turn turn;
  if (written == static_cast<ssize_t>(size)) {
    append(Kind::wrote, open.inode, position);
  } else {
    append(Kind::strange, 0, 0, {}, "a synchronous write that failed");
  }
  return written;
}

// `offset` < 0: at the descriptor's own position.
template <class Call>
ssize_t write_recorded(int fd, off_t offset, std::span<const iovec> parts, Call call) {
  const Open* const open = find(fd);
  if (open == nullptr) return call();
  if (open->inode != inode_of(fd)) say_strange("a descriptor that was closed unseen");
  std::size_t size = 0;
  for (const iovec& part : parts) size += part.iov_len;
  if (offset < 0) offset = ::lseek(fd, 0, (open->flags & O_APPEND) != 0 ? SEEK_END : SEEK_CUR);
  const auto at = static_cast<std::uint64_t>(offset);
  if ((open->flags & (O_DSYNC | O_SYNC)) != 0) return write_through(*open, at, parts, size, call);
  const Turn turn;
  const ssize_t written = call();
  Errno error;
  if (written > 0) append({open->inode, at, static_cast<std::uint32_t>(written), 0, Kind::write, 0}, {}, parts);
  return written;
}

// What the processes know of the intake, and a power cut may leave in its file. Read when a flush has ended, it knows of none
// that has not.
void record_memory(int intake) {
  char path[PATH_MAX] = {};
  const std::string link = "/proc/self/fd/" + std::to_string(intake);
  if (::readlink(link.c_str(), path, sizeof path - 1) <= 0) return;
  const std::string name = std::string(path) + "-ends";
  const int fd = real_open(name.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return;
  char bytes[kSectorBytes];
  const ssize_t count = ::pread(fd, bytes, sizeof bytes, 0);
  ::close(fd);
  const Turn turn;
  if (count > 0) append(Kind::memory, 0, 0, name_of(name.c_str()), {bytes, static_cast<std::size_t>(count)});
}

template <class Call>
int sync_recorded(int fd, Call call) {
  const Open* const open = find(fd);
  if (open == nullptr) return call();
  if (!is_synced(open->part)) return 0;
  std::uint64_t begin = 0;
  {
    const Turn turn;
    begin = append(Kind::sync_begin, open->inode, 0);
  }
  const int result = call();
  Errno error;
  if (open->part == Part::intake) record_memory(fd);
  const Turn turn;
  if (result == 0) append(Kind::sync_end, open->inode, begin);
  return result;
}

// `kind` with this name, if the call succeeds.
template <class Call>
int name_recorded(Kind kind, const std::string& name, Call call) {
  if (name.empty()) return call();
  const Turn turn;
  const int result = call();
  Errno error;
  if (result != 0) return result;
  struct stat status {};
  if (kind == Kind::mkdir) ::stat((*directory + name).c_str(), &status);
  append(kind, status.st_ino, 0, name);
  return result;
}

std::string two_names(const char* from, const char* to) {
  const std::string old_name = durable_name(from);
  const std::string new_name = durable_name(to);
  if (old_name.empty() && new_name.empty()) return {};
  if (old_name.empty() || new_name.empty()) say_strange("a name that comes or goes");
  return old_name + '\0' + new_name;
}

int resize_recorded(int fd, off_t size, bool only_grows, int (*call)(int, off_t)) {
  const Open* const open = find(fd);
  if (open == nullptr) return call(fd, size);
  const Turn turn;
  struct stat status {};
  ::fstat(fd, &status);
  const int result = call(fd, size);
  Errno error;
  if (result == 0 && !(only_grows && size <= status.st_size)) {
    append(Kind::truncate, open->inode, static_cast<std::uint64_t>(size));
  }
  return result;
}

void copy_descriptor(int from, int to) {
  if (head == nullptr || to < 0 || to >= kDescriptors) return;
  const Open* const open = find(from);
  descriptors[to].flags = open != nullptr ? open->flags.load() : 0;
  descriptors[to].part = open != nullptr ? open->part.load() : Part::other;
  descriptors[to].inode = open != nullptr ? open->inode.load() : 0;
}

}  // namespace

#pragma GCC visibility push(default)
extern "C" {

// What the processes themselves say (note.hpp).
void tq_power_cut_note(const char* bytes, std::size_t size) {
  if (head == nullptr) return;
  const Turn turn;
  append(Kind::note, 0, 0, {}, {bytes, size});
}

// Within the lock: nothing has been done that is not recorded.
void tq_power_cut_die() {
  if (head == nullptr) return;
  const Turn turn;
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

#define TQ_OPEN(name)                              \
  int name(const char* path, int flags, ...) {     \
    va_list arguments;                             \
    va_start(arguments, flags);                    \
    const mode_t mode = mode_of(flags, arguments); \
    va_end(arguments);                             \
    return open_recorded(path, flags, mode);       \
  }
TQ_OPEN(open)
TQ_OPEN(open64)

#define TQ_OPENAT(name)                                                            \
  int name(int at, const char* path, int flags, ...) {                             \
    va_list arguments;                                                             \
    va_start(arguments, flags);                                                    \
    const mode_t mode = mode_of(flags, arguments);                                 \
    va_end(arguments);                                                             \
    if (at == AT_FDCWD || path[0] == '/') return open_recorded(path, flags, mode); \
    TQ_REAL(name);                                                                 \
    const int fd = real(at, path, flags, mode);                                    \
    return fd;                                                                     \
  }
TQ_OPENAT(openat)
TQ_OPENAT(openat64)

int creat(const char* path, mode_t mode) { return open_recorded(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char* path, mode_t mode) { return open_recorded(path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
  TQ_REAL(close);
  if (find(fd) != nullptr) descriptors[fd].inode = 0;
  return real(fd);
}

int dup(int fd) {
  TQ_REAL(dup);
  const int copy = real(fd);
  copy_descriptor(fd, copy);
  return copy;
}
int dup2(int fd, int to) {
  TQ_REAL(dup2);
  const int copy = real(fd, to);
  copy_descriptor(fd, copy);
  return copy;
}
int dup3(int fd, int to, int flags) {
  TQ_REAL(dup3);
  const int copy = real(fd, to, flags);
  copy_descriptor(fd, copy);
  return copy;
}

ssize_t write(int fd, const void* bytes, std::size_t size) {
  TQ_REAL(write);
  const iovec part{const_cast<void*>(bytes), size};
  return write_recorded(fd, -1, {&part, 1}, [&] { return real(fd, bytes, size); });
}
ssize_t writev(int fd, const iovec* parts, int count) {
  TQ_REAL(writev);
  return write_recorded(fd, -1, {parts, static_cast<std::size_t>(count)}, [&] { return real(fd, parts, count); });
}

#define TQ_PWRITE(name, offset_type)                                                              \
  ssize_t name(int fd, const void* bytes, std::size_t size, offset_type offset) {                 \
    TQ_REAL(name);                                                                                \
    const iovec part{const_cast<void*>(bytes), size};                                             \
    return write_recorded(fd, offset, {&part, 1}, [&] { return real(fd, bytes, size, offset); }); \
  }
TQ_PWRITE(pwrite, off_t)
TQ_PWRITE(pwrite64, off64_t)

#define TQ_PWRITEV(name, offset_type)                                           \
  ssize_t name(int fd, const iovec* parts, int count, offset_type offset) {     \
    TQ_REAL(name);                                                              \
    return write_recorded(fd, offset, {parts, static_cast<std::size_t>(count)}, \
                          [&] { return real(fd, parts, count, offset); });      \
  }
TQ_PWRITEV(pwritev, off_t)
TQ_PWRITEV(pwritev64, off64_t)

int fsync(int fd) {
  TQ_REAL(fsync);
  return sync_recorded(fd, [&] { return real(fd); });
}
int fdatasync(int fd) {
  TQ_REAL(fdatasync);
  return sync_recorded(fd, [&] { return real(fd); });
}

int ftruncate(int fd, off_t size) noexcept {
  TQ_REAL(ftruncate);
  return resize_recorded(fd, size, false, real);
}
int ftruncate64(int fd, off64_t size) noexcept {
  TQ_REAL(ftruncate64);
  return resize_recorded(fd, size, false, real);
}
int posix_fallocate(int fd, off_t offset, off_t size) {
  TQ_REAL(posix_fallocate);
  return resize_recorded(fd, offset + size, true, [](int file, off_t end) { return real(file, 0, end); });
}
int posix_fallocate64(int fd, off64_t offset, off64_t size) {
  TQ_REAL(posix_fallocate64);
  return resize_recorded(fd, offset + size, true, [](int file, off_t end) { return real(file, 0, end); });
}

// That keeps the size: blocks ahead, which nobody can read.
#define TQ_FALLOCATE(name, offset_type)                                         \
  int name(int fd, int mode, offset_type offset, offset_type size) {            \
    TQ_REAL(name);                                                              \
    if (find(fd) != nullptr && mode != FALLOC_FL_KEEP_SIZE) say_strange(#name); \
    return real(fd, mode, offset, size);                                        \
  }
TQ_FALLOCATE(fallocate, off_t)
TQ_FALLOCATE(fallocate64, off64_t)

int link(const char* from, const char* to) noexcept {
  TQ_REAL(link);
  return name_recorded(Kind::link, two_names(from, to), [&] { return real(from, to); });
}
int rename(const char* from, const char* to) noexcept {
  TQ_REAL(rename);
  return name_recorded(Kind::rename, two_names(from, to), [&] { return real(from, to); });
}
int unlink(const char* path) noexcept {
  TQ_REAL(unlink);
  return name_recorded(Kind::unlink, durable_name(path), [&] { return real(path); });
}
int rmdir(const char* path) noexcept {
  TQ_REAL(rmdir);
  return name_recorded(Kind::unlink, durable_name(path), [&] { return real(path); });
}
int remove(const char* path) noexcept {
  TQ_REAL(remove);
  return name_recorded(Kind::unlink, durable_name(path), [&] { return real(path); });
}
int mkdir(const char* path, mode_t mode) noexcept {
  TQ_REAL(mkdir);
  return name_recorded(Kind::mkdir, durable_name(path), [&] { return real(path, mode); });
}

// Written to through a map, a file changes unseen.
#define TQ_MMAP(name, offset_type)                                                                         \
  void* name(void* at, std::size_t size, int protection, int flags, int fd, offset_type offset) noexcept { \
    TQ_REAL(name);                                                                                         \
    const bool writes = (protection & PROT_WRITE) != 0 && (flags & MAP_SHARED) != 0;                       \
    if (writes && (flags & MAP_ANONYMOUS) == 0 && find(fd) != nullptr) say_strange(#name);                 \
    return real(at, size, protection, flags, fd, offset);                                                  \
  }
TQ_MMAP(mmap, off_t)
TQ_MMAP(mmap64, off64_t)

// Not known to be used on durable files; if that changes, they have to be learned.
int truncate(const char* path, off_t size) noexcept {
  TQ_REAL(truncate);
  if (!durable_name(path).empty()) say_strange("truncate");
  return real(path, size);
}
int linkat(int from_at, const char* from, int to_at, const char* to, int flags) noexcept {
  TQ_REAL(linkat);
  if (!durable_name(to).empty()) say_strange("linkat");
  return real(from_at, from, to_at, to, flags);
}
int renameat(int from_at, const char* from, int to_at, const char* to) noexcept {
  TQ_REAL(renameat);
  if (!durable_name(to).empty()) say_strange("renameat");
  return real(from_at, from, to_at, to);
}
int renameat2(int from_at, const char* from, int to_at, const char* to, unsigned flags) noexcept {
  TQ_REAL(renameat2);
  if (!durable_name(to).empty()) say_strange("renameat2");
  return real(from_at, from, to_at, to, flags);
}
ssize_t copy_file_range(int from, off64_t* from_at, int to, off64_t* to_at, std::size_t size, unsigned flags) {
  TQ_REAL(copy_file_range);
  if (find(to) != nullptr) say_strange("copy_file_range");
  return real(from, from_at, to, to_at, size, flags);
}

}  // extern "C"
#pragma GCC visibility pop
