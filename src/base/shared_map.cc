#include "base/shared_map.hpp"

#include "base/fail.hpp"
#include "base/fd.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>

namespace tq::base {

SharedMap::SharedMap(const std::string& path, std::size_t bytes) : bytes_(bytes) {
  Fd file;
  if (!path.empty()) {
    file = open_file(path, O_RDWR | O_CREAT);
    // A hole would be a SIGBUS on a full disk.
    if (const int code = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes))) {
      throw_system(fmt::format("cannot write '{}'", path), code);
    }
  }
  const int flags = MAP_SHARED | (file ? 0 : MAP_ANONYMOUS);
  start_ = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, file.get(), 0);
  if (start_ == MAP_FAILED) throw_system(fmt::format("cannot map '{}'", path), errno);
}

SharedMap::~SharedMap() { ::munmap(start_, bytes_); }

}  // namespace tq::base
