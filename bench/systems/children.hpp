// Work that is done in child processes.
#pragma once

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace bench {

using Bodies = std::vector<std::function<void()>>;

// Runs each in a child process. Ends all, and this program, if one fails.
inline void run_processes(const Bodies& bodies) {
  std::vector<pid_t> children;
  for (const auto& body : bodies) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        body();
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (std::size_t left = children.size(); left > 0; --left) {
    int status = 0;
    ::wait(&status);
    if (status == 0) continue;
    for (const pid_t child : children) ::kill(child, SIGKILL);
    std::exit(1);
  }
}

}  // namespace bench
