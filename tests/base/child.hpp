// What becomes of a process that does something which no test can do and go on.
#pragma once

#include "base/fd.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tq::test {

struct Ended {
  int exit_code = -1;  // -1: by a signal
  int signal = 0;
  std::string standard_error;
};

// Runs `function` in a child. It returning, or throwing, is exit code 0.
template <class Function>
Ended in_child(Function function) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const pid_t child = ::fork();
  BOOST_REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGABRT, SIG_DFL);  // not Boost's, if it has one
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::dup2(ends[1], STDERR_FILENO);
    try {
      function();
    } catch (...) {
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  Ended ended;
  ended.standard_error = base::read_all(ends[0], "pipe");
  ::close(ends[0]);
  int status = 0;
  BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  return ended;
}

}  // namespace tq::test
