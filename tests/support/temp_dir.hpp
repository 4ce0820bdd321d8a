// A directory that is there for one test.
#pragma once

#include "base/fail.hpp"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace tq::test {

// Made empty under $TMPDIR or /tmp, and removed with all that is in it.
class TempDir {
 public:
  TempDir() : path_(std::filesystem::temp_directory_path() / "tq-test-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) base::throw_system("cannot make the directory '" + path_ + "'", errno);
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  // The path of a file in it.
  std::string operator/(std::string_view name) const { return path_ + '/' + std::string(name); }

 private:
  std::string path_;
};

}  // namespace tq::test
