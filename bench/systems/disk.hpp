// What reached a block device: the kernel's own count, which nobody who skips a flush can better.
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace bench {

struct Disk {
  std::uint64_t flushes = 0;
  std::uint64_t bytes = 0;
};

// Of the device that `path`, or the folder it will lie in, is on; zeros where the kernel does not count.
inline Disk disk_of(std::filesystem::path path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) {
    path = path.has_parent_path() ? path.parent_path() : ".";
    if (::stat(path.c_str(), &status) != 0) return {};
  }
  std::ifstream file("/sys/dev/block/" + std::to_string(major(status.st_dev)) + ":" +
                     std::to_string(minor(status.st_dev)) + "/stat");
  std::uint64_t fields[16] = {};  // Documentation/block/stat.rst: 6 sectors of 512 bytes written, 15 flushes
  for (std::uint64_t& field : fields) file >> field;
  return {fields[15], fields[6] * 512};
}

}  // namespace bench
