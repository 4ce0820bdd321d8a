// Another process, with its standard input and output in hand.
#pragma once

#include "base/fd.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tq::test {

// How long a test waits for what must come: longer than any machine takes, shorter than the test's own limit.
inline constexpr std::chrono::milliseconds kPatience = std::chrono::seconds{60};

// Killed, if it still runs, and reaped with this. One thread at a time.
class Process {
 public:
  // Starts `argv` with this environment and `variables` ("NAME=value") added. Standard error is shared.
  explicit Process(const std::vector<std::string>& argv, const std::vector<std::string>& variables = {}) {
    int to[2];
    int from[2];
    BOOST_REQUIRE(::pipe2(to, O_CLOEXEC) == 0);
    BOOST_REQUIRE(::pipe2(from, O_CLOEXEC) == 0);
    input_ = base::Fd(to[1]);
    output_ = base::Fd(from[0]);
    const base::Fd its_input(to[0]);
    const base::Fd its_output(from[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, its_input.get(), STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, its_output.get(), STDOUT_FILENO);
    std::vector<std::string> environment = variables;
    for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
    std::vector<std::string> arguments = argv;
    const int code = ::posix_spawn(&pid_, argv.at(0).c_str(), &actions, nullptr, pointers(arguments).data(),
                                   pointers(environment).data());
    ::posix_spawn_file_actions_destroy(&actions);
    BOOST_REQUIRE_EQUAL(code, 0);
    pidfd_ = base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
    BOOST_REQUIRE(pidfd_);
  }
  ~Process() {
    if (pid_ == 0) return;
    kill(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  // What can be polled for: a line of output, and the end.
  int output() const { return output_.get(); }

  void kill(int signal) const { ::kill(pid_, signal); }
  void write(std::string_view bytes) { base::write_all(input_.get(), bytes, "pipe"); }
  void close_input() { input_.reset(); }

  // The next line without its end; nothing at the end of the output. Throws if none comes.
  std::optional<std::string> read_line() {
    for (;;) {
      if (auto line = take_line()) return line;
      if (!wait_for(output_.get())) throw std::runtime_error("process " + std::to_string(pid_) + " says nothing");
      if (!read_some()) return std::nullopt;
    }
  }
  // A line that has been read already.
  std::optional<std::string> take_line() {
    const auto end = read_.find('\n');
    if (end == read_.npos) return std::nullopt;
    std::string line = read_.substr(0, end);
    read_.erase(0, end + 1);
    return line;
  }
  // Reads what there is, waiting for it. False at the end of the output.
  bool read_some() {
    char bytes[65536];
    ssize_t count;
    do count = ::read(output_.get(), bytes, sizeof bytes);
    while (count < 0 && errno == EINTR);
    if (count <= 0) return false;
    read_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }

  // Waits for its end and reaps it: its exit status, or 128 and the signal that killed it. Throws if it does not end.
  int wait() {
    if (!wait_for(pidfd_.get())) throw std::runtime_error("process " + std::to_string(pid_) + " does not end");
    int status = 0;
    BOOST_REQUIRE(::waitpid(pid_, &status, 0) == pid_);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> pointers;
    for (std::string& string : strings) pointers.push_back(string.data());
    pointers.push_back(nullptr);
    return pointers;
  }

  static bool wait_for(int fd) {
    pollfd wanted{fd, POLLIN, 0};
    int count;
    do count = ::poll(&wanted, 1, static_cast<int>(kPatience.count()));
    while (count < 0 && errno == EINTR);
    return count > 0;
  }

  pid_t pid_ = 0;
  base::Fd pidfd_;
  base::Fd input_;
  base::Fd output_;
  std::string read_;
};

}  // namespace tq::test
