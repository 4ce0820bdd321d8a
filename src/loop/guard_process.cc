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
#include <sys/prctl.h>
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

base::Fd handle_of(pid_t pid) {
  base::Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!handle) base::throw_system("cannot get a handle of a process", errno);
  return handle;
}

// What posix_spawn is to do on the way.
struct Setup {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  Setup() {
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawnattr_init(&attributes);
    sigset_t all;
    sigset_t none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~Setup() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
  }
  Setup(const Setup&) = delete;
  Setup& operator=(const Setup&) = delete;

  // The guard gets `fd` as its descriptor `as`.
  void give(int fd, int as) { ::posix_spawn_file_actions_adddup2(&actions, fd, as); }
};

// A duplicate above the numbers that the guard is given, so that none of them is overwritten before it is copied.
base::Fd above_given(int fd) {
  base::Fd copy(::fcntl(fd, F_DUPFD_CLOEXEC, guard::kProgramFd + 1));
  if (!copy) base::throw_system("cannot prepare descriptors for the guard process", errno);
  return copy;
}

// Starts the program with its end of the socket. posix_spawn copies no memory, however much this process has.
pid_t start(int socket, int inherited) {
  const base::Fd its_end = above_given(socket);
  const base::Fd lock = inherited >= 0 ? above_given(inherited) : base::Fd();
  const base::Fd worker = above_given(handle_of(::getpid()).get());
  const base::Fd program = above_given(program_file().get());
  Setup setup;
  ::posix_spawn_file_actions_addopen(&setup.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&setup.actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  setup.give(STDOUT_FILENO, STDERR_FILENO);
  setup.give(its_end.get(), guard::kSocketFd);
  setup.give(lock ? lock.get() : STDIN_FILENO, guard::kInheritedFd);
  setup.give(worker.get(), guard::kWorkerFd);
  setup.give(program.get(), guard::kProgramFd);
  ::posix_spawn_file_actions_addclosefrom_np(&setup.actions, guard::kProgramFd + 1);

  const std::string path = "/proc/self/fd/" + std::to_string(guard::kProgramFd);
  std::string name = "tq-guard";
  char* arguments[] = {name.data(), nullptr};
  char* environment[] = {nullptr};
  pid_t pid = -1;
  const int code = ::posix_spawn(&pid, path.c_str(), &setup.actions, &setup.attributes, arguments, environment);
  if (code != 0) base::throw_system("cannot start the guard process", code);
  return pid;
}

bool has_children() {
  siginfo_t ignored{};
  return ::waitid(P_ALL, 0, &ignored, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

template <class Visit>
void each_child(Visit visit) {
  guard::each_pid([&](pid_t pid) {
    guard::Process process{};
    if (guard::read_process(pid, process) && process.parent == ::getpid()) visit(pid);
  });
}

}  // namespace

GuardProcess::GuardProcess(const Guard::Options& options) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    base::throw_system("cannot make a socket for the guard process", errno);
  }
  socket_ = base::Fd(ends[0]);
  const base::Fd its_end(ends[1]);
  if (options.own_process) {
    // Nearly always there are none, and the kernel says so at once: no need to look at all processes of the machine.
    if (has_children()) each_child([this](pid_t child) { earlier_children_.insert(child); });
    // What is left of its commands becomes ours, should somebody kill the guard.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  pid_ = start(its_end.get(), options.inherit_fd);
  handle_ = handle_of(pid_);
}

GuardProcess::~GuardProcess() {
  socket_.reset();
  ::syscall(SYS_pidfd_send_signal, handle_.get(), SIGCONT, nullptr, 0);  // somebody may have stopped it
  wait();
  siginfo_t ignored{};
  ::waitid(P_PIDFD, static_cast<id_t>(handle_.get()), &ignored, WEXITED | WNOHANG);  // unless the host has done so
}

void GuardProcess::wait() const {
  pollfd ended{handle_.get(), POLLIN, 0};
  while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
  }
}

void GuardProcess::kill_adopted() const {
  for (bool found = true; found;) {
    found = false;
    each_child([&](pid_t child) {
      if (child == pid_ || earlier_children_.contains(child) || ::kill(child, SIGKILL) != 0) return;
      found = true;
      ::waitpid(child, nullptr, 0);
    });
  }
}

}  // namespace tq::loop
