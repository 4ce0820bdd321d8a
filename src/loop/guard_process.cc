#include "loop/guard_process.hpp"

#include "base/fail.hpp"
#include "guard/processes.hpp"
#include "guard/protocol.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <string_view>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tq::loop {

// The program, from src/guard.
extern const unsigned char kGuardProgram[];
extern const std::size_t kGuardProgramSize;

namespace {

constexpr unsigned kMfdExec = 0x10;  // MFD_EXEC, since Linux 6.3; older ones refuse it and need none

base::Fd program_file() {
  base::Fd file(::memfd_create("tq-guard", MFD_CLOEXEC | kMfdExec));
  if (!file && errno == EINVAL) file = base::Fd(::memfd_create("tq-guard", MFD_CLOEXEC));
  if (!file) base::throw_system("cannot make a file in memory for the guard process", errno);
  base::write_all(file.get(), {reinterpret_cast<const char*>(kGuardProgram), kGuardProgramSize}, "the guard's program");
  return file;
}

// A duplicate above the numbers that the guard is given, so that none of them is overwritten before it is copied.
base::Fd above_given(int fd) {
  base::Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 10));
  if (!copy) base::throw_system("cannot prepare descriptors for the guard process", errno);
  return copy;
}

struct Actions {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  Actions() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~Actions() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
};

}  // namespace

GuardProcess::GuardProcess(const Guard::Options& options) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    base::throw_system("cannot make a socket for the guard process", errno);
  }
  socket_ = base::Fd(ends[0]);
  const base::Fd its_end = above_given(base::Fd(ends[1]).get());
  const base::Fd program = above_given(program_file().get());
  const base::Fd inherited = options.inherit_fd >= 0 ? above_given(options.inherit_fd) : base::Fd();

  Actions setup;
  constexpr int kProgramFd = guard::kInheritedFd + 1;
  posix_spawn_file_actions_addopen(&setup.actions, 0, "/dev/null", O_RDWR, 0);
  posix_spawn_file_actions_adddup2(&setup.actions, 0, 1);
  posix_spawn_file_actions_adddup2(&setup.actions, its_end.get(), guard::kSocketFd);
  if (inherited) posix_spawn_file_actions_adddup2(&setup.actions, inherited.get(), guard::kInheritedFd);
  posix_spawn_file_actions_adddup2(&setup.actions, program.get(), kProgramFd);
  posix_spawn_file_actions_addclosefrom_np(&setup.actions, kProgramFd + 1);
  sigset_t all;
  sigset_t none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&setup.attributes, &all);
  posix_spawnattr_setsigmask(&setup.attributes, &none);
  posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);

  const std::string path = "/proc/self/fd/" + std::to_string(kProgramFd);
  std::string name = "tq-guard";
  std::string token = options.token;
  char* arguments[] = {name.data(), token.data(), nullptr};
  char* environment[] = {nullptr};
  const int code = ::posix_spawn(&pid_, path.c_str(), &setup.actions, &setup.attributes, arguments, environment);
  if (code != 0) base::throw_system("cannot start the guard process", code);
  handle_ = base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
}

GuardProcess::~GuardProcess() {
  socket_.reset();
  // Through its own handle, so that a host that reaps all its children does not make us wait for another's.
  pollfd wait{handle_.get(), POLLIN, 0};
  while (handle_ && ::poll(&wait, 1, -1) < 0 && errno == EINTR) {
  }
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void GuardProcess::kill_adopted() const {
  for (bool found = true; found;) {
    found = false;
    guard::each_process([&](const guard::Process& process) {
      if (process.parent != ::getpid() || process.pid == pid_) return;
      found = true;
      ::kill(process.pid, SIGKILL);
      ::waitpid(process.pid, nullptr, 0);
    });
  }
}

}  // namespace tq::loop
