// A file descriptor with one owner, and whole reads and writes on it.
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace tq::base {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  // Closes it; errno is left as it was.
  void reset();

 private:
  int fd_ = -1;
};

// Opens with O_CLOEXEC. Throws IoError that names the path.
Fd open_file(const std::string& path, int flags, unsigned mode = 0600);
// Writes all of `bytes`. `name` is for the text of the IoError it throws.
void write_all(int fd, std::string_view bytes, const std::string& name);
// Reads to the end of the file. `name` is for the text of the IoError it throws.
std::string read_all(int fd, const std::string& name);
// fsync of a directory, so that a name in it survives a power cut.
void sync_directory(const std::string& path);

}  // namespace tq::base
