// Other processes for a test: forked, without exec, and spoken to through pipes. Nothing sleeps.
#pragma once

#include "base/fail.hpp"
#include "base/fd.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace tq::test {

// Throws, in a child, where Boost's checks would be lost.
inline void ensure(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

// A forked child that runs `body`. Killed and reaped with its object.
class Child {
 public:
  explicit Child(const std::function<void()>& body) {
    std::cout.flush();  // or the child might write it as well
    pid_ = ::fork();
    if (pid_ < 0) base::throw_system("cannot fork", errno);
    if (pid_ == 0) run(body);
  }
  ~Child() {
    if (pid_ > 0) kill();
  }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&&) = delete;

  // Its exit status: 0, 1 after an exception, 137 at a failpoint or by SIGKILL, 128 + n by another signal.
  int wait() {
    int status = 0;
    while (::waitpid(std::exchange(pid_, -1), &status, 0) < 0 && errno == EINTR) continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  int kill() {
    ::kill(pid_, SIGKILL);
    return wait();
  }

 private:
  [[noreturn]] static void run(const std::function<void()>& body) {
    // Boost's handlers would go on with the tests, here.
    for (const int signal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP}) ::signal(signal, SIG_DFL);
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

inline int in_child(const std::function<void()>& body) { return Child(body).wait(); }

// Something that one process tells another, once or more often.
class Signal {
 public:
  Signal() {
    int ends[2];
    if (::pipe(ends) != 0) base::throw_system("cannot make a pipe", errno);
    out_ = base::Fd(ends[0]);
    in_ = base::Fd(ends[1]);
  }
  void raise() { base::write_all(in_.get(), "x", "a pipe"); }
  // Blocks until it has been raised once for each time that this has been called.
  void wait() {
    char byte;
    while (::read(out_.get(), &byte, 1) < 0 && errno == EINTR) continue;
  }

 private:
  base::Fd out_, in_;
};

[[noreturn]] inline void wait_for_ever() {
  for (;;) ::pause();
}

}  // namespace tq::test
