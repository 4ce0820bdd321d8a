// Looking at processes through /proc, with nothing but the C library: fit for the guard.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

namespace tq::guard {

struct Process {
  pid_t pid;
  pid_t parent;
  pid_t group;
};

// False if there is no such process, or not any more.
inline bool read_process(pid_t pid, Process& process) {
  char text[512];
  snprintf(text, sizeof text, "/proc/%d/stat", pid);
  const int fd = open(text, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const ssize_t size = read(fd, text, sizeof text - 1);
  close(fd);
  if (size <= 0) return false;
  text[size] = 0;
  // pid (name) state parent group ...; the name may hold anything, so count from its last bracket.
  char* at = strrchr(text, ')');
  if (at == nullptr || strlen(at) < 4) return false;
  process.pid = pid;
  process.parent = static_cast<pid_t>(strtol(at + 3, &at, 10));
  process.group = static_cast<pid_t>(strtol(at, nullptr, 10));
  return true;
}

// Calls `visit` with the number of every process of the machine, in ascending order.
template <class Visit>
void each_pid(Visit visit) {
  DIR* directory = opendir("/proc");
  if (directory == nullptr) return;
  while (const dirent* entry = readdir(directory)) {
    const pid_t pid = static_cast<pid_t>(strtol(entry->d_name, nullptr, 10));
    if (pid > 0) visit(pid);
  }
  closedir(directory);
}

}  // namespace tq::guard
