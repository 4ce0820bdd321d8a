#include "base/fd.hpp"

#include "base/fail.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace tq::base {

void Fd::reset() {
  if (fd_ < 0) return;
  const int saved = errno;
  ::close(fd_);  // Linux frees the number even on EINTR: never repeated
  errno = saved;
  fd_ = -1;
}

Fd open_file(const std::string& path, int flags, unsigned mode) {
  int fd;
  do fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  while (fd < 0 && errno == EINTR);
  if (fd < 0) throw_system(fmt::format("cannot open '{}'", path), errno);
  return Fd(fd);
}

void write_all(int fd, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_system(fmt::format("cannot write '{}'", name), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::string read_all(int fd, const std::string& name) {
  std::string bytes;
  char buffer[65536];
  for (;;) {
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_system(fmt::format("cannot read '{}'", name), errno);
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
}

void sync_directory(const std::string& path) {
  const Fd directory = open_file(path, O_RDONLY | O_DIRECTORY);
  if (::fsync(directory.get()) != 0) throw_system(fmt::format("cannot sync the directory '{}'", path), errno);
}

}  // namespace tq::base
