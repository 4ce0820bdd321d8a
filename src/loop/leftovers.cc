// Finding by its environment what neither a worker nor a guard looks after any more.
#include "base/fd.hpp"
#include "guard/processes.hpp"
#include "guard/protocol.hpp"
#include "loop/guard.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace tq::loop {
namespace {

// One look waits this long for each process that it has killed before the next look kills it again.
constexpr int kPatienceMs = 1000;
// So many are killed before the first is waited for: each needs a descriptor.
constexpr std::size_t kMostHandles = 256;

// Does the environment with which the process was started have a variable that begins with `beginning`? `environment` is
// room that is used again.
bool has_variable(pid_t pid, std::string_view beginning, std::string& environment) {
  const base::Fd file(::open(("/proc/" + std::to_string(pid) + "/environ").c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;  // gone, or another user's: then it is none of ours
  environment.assign(1, '\0');
  char part[16384];
  ssize_t size;
  while ((size = ::read(file.get(), part, sizeof part)) > 0) environment.append(part, static_cast<std::size_t>(size));
  return environment.find('\0' + std::string(beginning)) != environment.npos;
}

// Kills it if it has the variable. Its handle, or none.
base::Fd kill_marked(pid_t pid, std::string_view marker, std::string& environment) {
  // Opened first, then looked at, then killed through it: the number may be another process's by then.
  base::Fd handle;
  if (!has_variable(pid, marker, environment)) return handle;
  handle = base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!handle || !has_variable(pid, marker, environment)) return {};
  if (::syscall(SYS_pidfd_send_signal, handle.get(), SIGKILL, nullptr, 0) != 0) return {};
  return handle;
}

void wait_for(std::vector<base::Fd>& handles) {
  for (const base::Fd& handle : handles) {
    pollfd ended{handle.get(), POLLIN, 0};
    while (::poll(&ended, 1, kPatienceMs) < 0 && errno == EINTR) {
    }
  }
  handles.clear();
}

}  // namespace

std::size_t kill_leftovers(std::string_view token) {
  const std::string marker = guard::kMarker + std::string(token) + ".";
  std::string environment;
  std::vector<base::Fd> handles;
  std::size_t killed = 0;
  // What is killed forks no more, so the number of looks is small. Two in a row must find nothing: a process that just
  // executes a program has no environment for a moment.
  for (int empty_looks = 0; empty_looks < 2; ++empty_looks) {
    guard::each_pid([&](pid_t pid) {
      if (pid == ::getpid()) return;
      base::Fd handle = kill_marked(pid, marker, environment);
      if (!handle) return;
      ++killed;
      empty_looks = -1;
      handles.push_back(std::move(handle));
      if (handles.size() == kMostHandles) wait_for(handles);
    });
    wait_for(handles);
  }
  return killed;
}

}  // namespace tq::loop
