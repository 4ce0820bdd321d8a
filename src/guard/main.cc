// The guard: starts commands for a worker, and sees to it that nothing they start outlives them or the worker.
//
// One thread, static, a few hundred kilobytes: it forks in microseconds whatever the size of its worker. protocol.hpp says
// who speaks with whom. What it guarantees:
//
// - When the end of a command is reported, no process is left that came from it, however it had moved away (sessions, process
//   groups, an environment of its own, double forks): all are descendants of its keeper, who kills until it has no child.
// - When the worker ends, however, the guard kills keepers and commands until it has no descendant, and only then ends: then
//   the kernel drops the worker's lock, which it inherited.
// - If somebody kills a keeper, the guard does the same. If somebody kills the guard, the kernel kills the keepers and what
//   they started themselves; what those started is the worker's to find, by its environment.
//
// Not caught is what was never a descendant (a job handed to a service manager or a cron), and what the guard may not kill
// because it has become another user: the guard waits for that.
#include "guard/keeper.hpp"
#include "guard/protocol.hpp"
#include "guard/tree.hpp"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

using namespace tq::guard;

namespace {

void set_up() {
  prctl(PR_SET_NAME, "tq-guard");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  close(kProgramFd);
  for (int fd = kSocketFd; fd <= kWorkerFd; ++fd) fcntl(fd, F_SETFD, FD_CLOEXEC);
  if (chdir("/") != 0) return;  // where it stands nobody need be kept from unmounting
  // What posix_spawn leaves ignored: the C library's own two, which sigaction refuses to touch.
  const char by_default[64] = {};
  for (int signal = 32; signal < SIGRTMIN; ++signal) syscall(SYS_rt_sigaction, signal, by_default, nullptr, 8);
  // No signal but SIGKILL ends the guard. SIGCHLD ends a ppoll, and nothing else.
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  struct sigaction wake_up {};
  wake_up.sa_handler = [](int) {};
  wake_up.sa_flags = SA_NOCLDSTOP;
  sigaction(SIGCHLD, &wake_up, nullptr);
}

void make_keeper(int socket) {
  const pid_t guard = getpid();
  const pid_t pid = fork();
  if (pid == 0) {
    close(kSocketFd);
    close(kWorkerFd);
    keep(socket, guard);
  }
  if (pid < 0) {
    const Report report{What::not_started, errno, 0};
    send(socket, &report, sizeof report, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  close(socket);
}

// False: the worker is gone.
bool serve() {
  Request request{};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  iovec part{&request, sizeof request};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(kSocketFd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  const cmsghdr* const header = CMSG_FIRSTHDR(&message);
  if (size != sizeof request || request.verb != Verb::keep || header == nullptr) return false;
  int socket = -1;
  memcpy(&socket, CMSG_DATA(header), sizeof socket);
  make_keeper(socket);
  return true;
}

// Has a keeper been killed?
bool lost_a_keeper() { return waitpid(-1, nullptr, WNOHANG) > 0; }

// The worker is gone, and nearly always no command was running: then it need not be looked for what to kill.
void let_idle_keepers_end() {
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  const timespec patience{0, 2'000'000};
  for (;;) {
    const pid_t ended = waitpid(-1, nullptr, WNOHANG);
    if (ended < 0) return;
    if (ended == 0 && sigtimedwait(&child_ended, nullptr, &patience) != SIGCHLD) return;
  }
}

}  // namespace

int main() {
  set_up();
  sigset_t all_but_children;
  sigfillset(&all_but_children);
  sigdelset(&all_but_children, SIGCHLD);
  for (;;) {
    pollfd wait[2] = {{kSocketFd, POLLIN, 0}, {kWorkerFd, POLLIN, 0}};
    const int ready = ppoll(wait, 2, nullptr, &all_but_children);
    if (lost_a_keeper()) break;
    if (ready <= 0) continue;
    if (wait[1].revents != 0) break;
    if (!serve()) break;
  }
  let_idle_keepers_end();
  kill_descendants();
  return 0;
}
