#include "guard/keeper.hpp"

#include "guard/command.hpp"
#include "guard/protocol.hpp"
#include "guard/tree.hpp"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tq::guard {
namespace {

// The command that runs.
struct Running {
  uint64_t child = 0;  // 0: none
  pid_t pid = -1;
  // Kept open until its end is reported: else the end of its output would wake the worker once more, just before.
  int output = -1;
  int error = -1;
};

int worker = -1;  // the socket
Running running;

// The worker is gone. Who has a command lives until the guard has killed it: the end of a keeper tells nobody to wait.
[[noreturn]] void end() {
  if (running.child == 0) _exit(0);
  for (;;) pause();
}

void report(What what, int code) {
  const Report message{what, code, running.child};
  while (send(worker, &message, sizeof message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
  close(running.output);
  close(running.error);
  running = Running();
}

// --- requests -----------------------------------------------------------------------------------------------------------

struct Packet {
  Request request;
  char body[kMaxInlineBody];
};

Packet packet;

// Waits for a request. Returns the size of its body, or -1 if there was no request.
ssize_t receive(int flags, int* fds, int& fd_count) {
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))];
  iovec part{&packet, sizeof packet};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(worker, &message, flags | MSG_CMSG_CLOEXEC);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return -1;
  if (size < static_cast<ssize_t>(sizeof(Request))) end();
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    fd_count = static_cast<int>((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(header), static_cast<size_t>(fd_count) * sizeof(int));
  }
  return size - static_cast<ssize_t>(sizeof(Request));
}

Started start(const Request& request, const Descriptors& descriptors) {
  if (descriptors.body < 0) return start_command(request, packet.body, descriptors);
  void* const body = mmap(nullptr, request.body_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, descriptors.body, 0);
  if (body == MAP_FAILED) return {-1, What::not_started, errno};
  const Started started = start_command(request, static_cast<char*>(body), descriptors);
  munmap(body, request.body_size);
  return started;
}

void serve_spawn(ssize_t body_size, const int* fds, int fd_count) {
  const Request& request = packet.request;
  running.child = request.child;
  Descriptors descriptors;
  int next = 0;
  const auto take = [&](bool wanted) { return wanted && next < fd_count ? fds[next++] : -1; };
  running.output = descriptors.output = take(true);
  running.error = descriptors.error = take(true);
  descriptors.input = take(request.has_input != 0);
  descriptors.body = take(request.body_is_file != 0);
  const bool is_whole = next == 2 + request.has_input + request.body_is_file &&
                        (request.body_is_file != 0 || body_size == request.body_size);
  // Descriptors are missing if this process could not have so many.
  const Started started = is_whole ? start(request, descriptors) : Started{-1, What::not_started, EMFILE};
  if (descriptors.input >= 0) close(descriptors.input);
  if (descriptors.body >= 0) close(descriptors.body);
  running.pid = started.pid;
  if (started.pid < 0) report(started.failed, started.code);
}

void serve(int flags) {
  int fds[4];
  int fd_count = 0;
  const ssize_t body_size = receive(flags, fds, fd_count);
  if (body_size < 0) return;
  if (packet.request.verb == Verb::spawn) serve_spawn(body_size, fds, fd_count);
  if (packet.request.verb == Verb::signal && running.child != 0 && running.child == packet.request.child) {
    signal_descendants(packet.request.signal);
  }
}

// --- the end of a command -----------------------------------------------------------------------------------------------

void reap() {
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended <= 0) return;
    if (ended != running.pid) continue;  // an orphan
    kill_descendants();                  // nearly always there are none, which the kernel says at once
    if (WIFSIGNALED(status)) {
      report(What::signalled, WTERMSIG(status));
    } else {
      report(What::exited, WEXITSTATUS(status));
    }
    return;
  }
}

}  // namespace

void keep(int socket, pid_t guard) {
  worker = socket;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != guard) _exit(1);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  sigset_t all_but_children;
  sigfillset(&all_but_children);
  sigdelset(&all_but_children, SIGCHLD);
  for (;;) {
    if (running.child == 0) {
      serve(0);
      continue;
    }
    pollfd wait{worker, POLLIN, 0};
    if (ppoll(&wait, 1, nullptr, &all_but_children) > 0) serve(MSG_DONTWAIT);
    reap();
  }
}

}  // namespace tq::guard
