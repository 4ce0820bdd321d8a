// Memory that all processes share which open the same file: for what survives kill -9, and need not survive a power cut.
#pragma once

#include <cstddef>
#include <string>

namespace tq::base {

class SharedMap {
 public:
  // Maps the first `bytes` of the file, making it (0600, zeros) if need be. An empty path makes private memory.
  // Throws IoError, DiskFull.
  SharedMap(const std::string& path, std::size_t bytes);
  ~SharedMap();
  SharedMap(const SharedMap&) = delete;
  SharedMap& operator=(const SharedMap&) = delete;

  void* get() const { return start_; }

 private:
  void* start_ = nullptr;
  std::size_t bytes_;
};

}  // namespace tq::base
