// Looking at processes through /proc, with nothing but system calls and memory of its own: fit for the guard.
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
  pid_t session;
  char state;
};

inline ssize_t read_proc(pid_t pid, const char* file, char* buffer, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, file);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  size_t length = 0;
  for (;;) {
    const ssize_t got = read(fd, buffer + length, size - length);
    if (got <= 0) break;
    length += static_cast<size_t>(got);
    if (length == size) break;
  }
  close(fd);
  return static_cast<ssize_t>(length);
}

inline bool read_process(pid_t pid, Process& process) {
  char text[512];
  const ssize_t size = read_proc(pid, "stat", text, sizeof text - 1);
  if (size <= 0) return false;
  text[size] = 0;
  // pid (name) state parent group session ...; the name may hold anything, so count from its last bracket.
  const char* at = strrchr(text, ')');
  int group = 0;
  process.pid = pid;
  return at != nullptr &&
         sscanf(at + 1, " %c %d %d %d", &process.state, &process.parent, &group, &process.session) == 4;
}

// Calls `visit` with every process of the machine.
template <class Visit>
void each_process(Visit visit) {
  DIR* directory = opendir("/proc");
  if (directory == nullptr) return;
  while (const dirent* entry = readdir(directory)) {
    const pid_t pid = atoi(entry->d_name);
    Process process;
    if (pid > 0 && read_process(pid, process)) visit(process);
  }
  closedir(directory);
}

// Does the environment that the process was started with have a variable that begins with `variable`?
// Returns what follows it in `rest` (as much as fits).
inline bool find_variable(pid_t pid, const char* variable, char* rest, size_t rest_size) {
  const size_t capacity = 4u << 20;  // no environment is larger
  char* text = static_cast<char*>(malloc(capacity));
  if (text == nullptr) return false;
  const ssize_t size = read_proc(pid, "environ", text, capacity - 1);
  bool found = false;
  if (size > 0) {
    text[size] = 0;
    const size_t length = strlen(variable);
    for (const char* at = text; at < text + size && !found; at += strlen(at) + 1) {
      if (strncmp(at, variable, length) != 0) continue;
      snprintf(rest, rest_size, "%s", at + length);
      found = true;
    }
  }
  free(text);
  return found;
}

}  // namespace tq::guard
