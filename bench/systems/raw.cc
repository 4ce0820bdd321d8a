// The disk's own limit: a write of the payloads and one fdatasync, at the end of a file (mode append), or over bytes that
// were written and flushed before (mode overwrite), so that a flush has no metadata to write. Takes no jobs.
#include "payloads.hpp"
#include "system.hpp"

#include <fcntl.h>
#include <filesystem>
#include <stdexcept>
#include <unistd.h>

namespace {

constexpr std::size_t kZeroedBytes = std::size_t{8} << 20;

void check(bool done) {
  if (!done) throw std::runtime_error("cannot write");
}

class Writer : public bench::Client {
 public:
  explicit Writer(int fd) : fd_(fd) {}
  void enqueue(std::span<const std::string> payloads) override {
    std::string bytes;
    for (const std::string& payload : payloads) bytes += payload;
    check(::pwrite(fd_, bytes.data(), bytes.size(), end_) == static_cast<ssize_t>(bytes.size()));
    check(::fdatasync(fd_) == 0);
    end_ += static_cast<off_t>(bytes.size());
  }

 private:
  int fd_;
  off_t end_ = 0;
};

class Raw : public bench::System {
 public:
  explicit Raw(const bench::Options& options) : fd_(::open(options.path.c_str(), O_RDWR | O_CREAT, 0600)) {
    check(fd_ >= 0 && options.threads * options.processes == 1);
    if (options.mode != "overwrite" || std::filesystem::file_size(options.path) > 0) return;
    const std::string zeros(1 << 20, '\0');
    for (std::size_t at = 0; at < kZeroedBytes; at += zeros.size()) check(::write(fd_, zeros.data(), zeros.size()) > 0);
    check(::fsync(fd_) == 0);
  }
  ~Raw() override { ::close(fd_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  std::unique_ptr<bench::Client> client() override { return std::make_unique<Writer>(fd_); }
  std::uint64_t unfinished() override {
    std::uint64_t records = 0;
    for (char first = 0;
         ::pread(fd_, &first, 1, static_cast<off_t>(records * bench::kPayloadBytes)) == 1 && first != 0;)
      ++records;
    return records;
  }

 private:
  int fd_;
};

}  // namespace

std::unique_ptr<bench::System> bench::open_system(const Options& options) { return std::make_unique<Raw>(options); }
