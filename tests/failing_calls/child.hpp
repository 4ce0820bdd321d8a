// A process that is run to its end, with a limit. Thread-safe, unlike support/process.hpp.
#pragma once

#include "base/fail.hpp"
#include "base/fd.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace tq::test {

struct Ended {
  int status = 0;     // exit status, or 128 and the signal that ended it
  bool hung = false;  // it was killed because it did not end
  std::string said;   // on standard output
};

namespace detail {

inline std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Feeds it and takes what it says, until it says no more. False if that does not come to an end.
inline bool talk(base::Fd input, const base::Fd& output, std::string_view given, std::string& said) {
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{30};
  for (;;) {
    pollfd ways[2] = {{output.get(), POLLIN, 0}, {input ? input.get() : -1, POLLOUT, 0}};
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(limit - std::chrono::steady_clock::now());
    if (left.count() <= 0 || ::poll(ways, 2, static_cast<int>(left.count())) == 0) return false;
    if (ways[1].revents != 0) {
      const ssize_t count = given.empty() ? 0 : ::write(input.get(), given.data(), given.size());
      if (count > 0) given.remove_prefix(static_cast<std::size_t>(count));
      if (count <= 0 && errno != EAGAIN) given = {};
      if (given.empty()) input.reset();
    }
    if (ways[0].revents == 0) continue;
    char bytes[65536];
    const ssize_t count = ::read(output.get(), bytes, sizeof bytes);
    if (count == 0) return true;
    if (count > 0) said.append(bytes, static_cast<std::size_t>(count));
  }
}

}  // namespace detail

// Runs `argv` with `variables` ("NAME=value") added to this environment, and this on its standard input.
inline Ended run_child(std::vector<std::string> argv, std::vector<std::string> variables, std::string_view given = {}) {
  int to[2];
  int from[2];
  if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) base::throw_system("cannot make a pipe", errno);
  base::Fd input(to[1]);
  base::Fd output(from[0]);
  ::fcntl(to[1], F_SETFL, O_NONBLOCK);
  pid_t pid = 0;
  {
    const base::Fd its_input(to[0]);
    const base::Fd its_output(from[1]);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
    const int code = ::posix_spawn(&pid, argv.at(0).c_str(), &actions, nullptr, detail::pointers(argv).data(),
                                   detail::pointers(variables).data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (code != 0) base::throw_system("cannot start '" + argv.at(0) + "'", code);
  }
  Ended ended;
  ended.hung = !detail::talk(std::move(input), output, given, ended.said);
  if (ended.hung) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  ended.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ended;
}

}  // namespace tq::test
