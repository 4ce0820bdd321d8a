// The processes that a process has started, by whichever of its threads, and that live.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/types.h>
#include <system_error>
#include <vector>

namespace tq::test {

inline std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> found;
  std::error_code gone;  // it has ended meanwhile
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(parent) + "/task", gone)) {
    std::ifstream file(task.path() / "children");
    found.insert(found.end(), std::istream_iterator<pid_t>(file), std::istream_iterator<pid_t>());
  }
  return found;
}

}  // namespace tq::test
