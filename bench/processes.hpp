// Starting and awaiting processes, as cheaply as the system can.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

// Starts a command that says nothing. Ends the benchmark if it cannot be started.
inline pid_t spawn(char* const argv[]) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t pid = 0;
  if (::posix_spawnp(&pid, argv[0], &actions, nullptr, argv, environ) != 0) {
    std::perror(argv[0]);
    std::exit(1);
  }
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

// Waits for one of its own, or any (-1). Ends the benchmark if it failed by itself.
inline void await(pid_t pid) {
  int status = 0;
  if (::waitpid(pid, &status, 0) < 0 || (WIFEXITED(status) && WEXITSTATUS(status) != 0)) {
    std::fprintf(stderr, "a command failed with status %d\n", WEXITSTATUS(status));
    std::exit(1);
  }
}

}  // namespace bench
