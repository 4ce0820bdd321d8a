// Another process, forked, that runs a part of the test.
#pragma once

#include "base/fail.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace tq::test {

// Killed and reaped with its object.
class Forked {
 public:
  explicit Forked(const std::function<void()>& body) {
    std::cout.flush();  // or the child might write it as well
    pid_ = ::fork();
    if (pid_ < 0) base::throw_system("cannot fork", errno);
    if (pid_ == 0) run(body);
  }
  ~Forked() {
    if (pid_ > 0) kill();
  }
  Forked(const Forked&) = delete;
  Forked& operator=(const Forked&) = delete;

  pid_t pid() const { return pid_; }
  // Its exit status, or 128 and the signal that ended it. An exception is 1.
  int wait() {
    int status = 0;
    const pid_t pid = std::exchange(pid_, -1);
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  int kill() {
    ::kill(pid_, SIGKILL);
    return wait();
  }

 private:
  [[noreturn]] static void run(const std::function<void()>& body) {
    try {
      body();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "child %d: %s\n", ::getpid(), error.what());
      ::_exit(1);
    }
    ::_exit(0);
  }

  pid_t pid_ = -1;
};

}  // namespace tq::test
