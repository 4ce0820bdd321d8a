// Commands, and processes that are told by a variable in their environment, wherever they have gone.
#pragma once

#include <tq/types.hpp>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <vector>

namespace tq::test {

// A command to be found in the usual places.
inline Command shell(const std::string& script) {
  return {.argv = {"sh", "-c", script}, .env = {{"PATH", "/usr/local/bin:/usr/bin:/bin"}}, .cwd = "/"};
}

class Marked {
 public:
  Marked() {
    static std::atomic<unsigned> count = 0;
    value_ = std::to_string(::getpid()) + "-" + std::to_string(++count);
  }
  ~Marked() {
    for (const pid_t pid : pids()) ::kill(pid, SIGKILL);
  }
  Marked(const Marked&) = delete;
  Marked& operator=(const Marked&) = delete;

  // "NAME=value", to be put into an environment.
  std::string variable() const { return kName + value_; }
  Command mark(Command command) const {
    command.env.emplace_back("TQ_TEST_MARK", value_);
    return command;
  }

  // How many run now; zombies do not count.
  std::size_t running() const { return pids().size(); }
  std::vector<pid_t> pids() const {
    std::vector<pid_t> found;
    for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
      const std::string name = entry.path().filename();
      if (std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; }) && has_mark(name))
        found.push_back(std::stoi(name));
    }
    return found;
  }

 private:
  // Empty, too, of a zombie.
  bool has_mark(const std::string& pid) const {
    std::ifstream file("/proc/" + pid + "/environ");
    const std::string environment(std::istreambuf_iterator<char>(file), {});
    return ('\0' + environment).find('\0' + variable() + '\0') != environment.npos;
  }

  static inline const std::string kName = "TQ_TEST_MARK=";
  std::string value_;
};

}  // namespace tq::test
