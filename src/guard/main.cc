// The guard: starts commands for a worker, and sees to it that nothing they start outlives them or the worker.
//
// One thread, static, a few hundred kilobytes: it forks in microseconds whatever the size of its worker. It is a subreaper,
// so orphans become its children. It ends when its socket does, after everything has been killed and waited for; only then the
// kernel drops the worker's lock, which it inherited.
//
// What is left when a command ends: its process group is killed at once. A process that made a session of its own and lost
// its parents is found, and killed, before the end is reported if no other command runs (the kernel says for free whether
// there are other children), and otherwise by a sweep of /proc within a second. On a signal to a command all its processes are
// looked for at once.
#include "guard/processes.hpp"
#include "guard/protocol.hpp"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

using namespace tq::guard;

namespace {

constexpr int kMaxChildren = 4096;
constexpr int kMaxReports = 2 * kMaxChildren;
constexpr int kSweepMilliseconds = 1000;

struct Child {
  uint64_t id;
  pid_t pid;
};

Child children[kMaxChildren];  // the commands that run, in no order
int child_count = 0;
char token[64];  // as in the marker, up to the dot
long long last_sweep = 0;
bool sweep_is_due = false;  // a command has ended while others ran

long long now_ms() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long long>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

// Reports on their way. Never waited for: the worker may be waiting for us to take a request.
Report reports[kMaxReports];
int report_count = 0;

void send_reports() {
  int sent = 0;
  while (sent < report_count) {
    const ssize_t size = send(kSocketFd, &reports[sent], sizeof(Report), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) break;  // full; or the worker is gone, which the end of the socket will say
    ++sent;
  }
  report_count -= sent;
  memmove(reports, reports + sent, static_cast<size_t>(report_count) * sizeof(Report));
}

void report(uint64_t child, What what, int code) {
  if (report_count == kMaxReports) return;  // more than there can be children: nobody asked for them
  reports[report_count++] = {what, code, child};
  send_reports();
}

Child* find_child(pid_t pid) {
  for (int i = 0; i < child_count; ++i) {
    if (children[i].pid == pid) return &children[i];
  }
  return nullptr;
}

// --- whose is a process? ----------------------------------------------------------------------------------------------

// The number of the command whose marker the process carries; 0: none of this guard's.
uint64_t marked(pid_t pid) {
  char rest[128];
  if (!find_variable(pid, kMarker, rest, sizeof rest)) return 0;
  const size_t length = strlen(token);
  if (strncmp(rest, token, length) != 0 || rest[length] != '.') return 0;
  return strtoull(rest + length + 1, nullptr, 10);
}

// Does the process belong to a command that runs?
bool is_of_running(const Process& process) {
  if (find_child(process.pid) != nullptr || find_child(process.session) != nullptr) return true;
  const uint64_t id = marked(process.pid);
  for (int i = 0; i < child_count; ++i) {
    if (children[i].id == id) return true;
  }
  // Neither session nor marker: nobody knows, so it stays until nothing runs.
  return id == 0 && child_count != 0;
}

// Kills orphans (they are our children now) that belong to no running command. Their children become ours in turn.
void sweep() {
  const pid_t self = getpid();
  each_process([&](const Process& process) {
    if (process.parent == self && process.state != 'Z' && !is_of_running(process)) kill(process.pid, SIGKILL);
  });
  last_sweep = now_ms();
  sweep_is_due = false;
}

// --- signals ----------------------------------------------------------------------------------------------------------

struct Found {
  Process* list;
  int count;
  int capacity;
};

void collect(Found& found) {
  found.count = 0;
  each_process([&](const Process& process) {
    if (found.count == found.capacity) {
      const int capacity = found.capacity * 2 + 256;
      void* larger = realloc(found.list, static_cast<size_t>(capacity) * sizeof(Process));
      if (larger == nullptr) return;
      found.list = static_cast<Process*>(larger);
      found.capacity = capacity;
    }
    found.list[found.count++] = process;
  });
}

// Signals the command and all that came from it: its descendants, its session, and orphans with its marker. Returns how many
// were not zombies.
int signal_tree(const Child& child, int signal) {
  Found found{nullptr, 0, 0};
  collect(found);
  const pid_t self = getpid();
  bool* mine = static_cast<bool*>(calloc(static_cast<size_t>(found.count) + 1, 1));
  if (mine == nullptr) {
    free(found.list);
    kill(-child.pid, signal);
    return 0;
  }
  for (int i = 0; i < found.count; ++i) {
    const Process& process = found.list[i];
    mine[i] = process.pid == child.pid || process.session == child.pid ||
              (process.parent == self && find_child(process.pid) == nullptr && marked(process.pid) == child.id);
  }
  for (bool grown = true; grown;) {
    grown = false;
    for (int i = 0; i < found.count; ++i) {
      for (int j = 0; !mine[i] && j < found.count; ++j) {
        if (mine[j] && found.list[i].parent == found.list[j].pid) mine[i] = grown = true;
      }
    }
  }
  int signalled = 0;
  for (int i = 0; i < found.count; ++i) {
    if (!mine[i] || found.list[i].state == 'Z') continue;
    kill(found.list[i].pid, signal);
    ++signalled;
  }
  free(mine);
  free(found.list);
  return signalled;
}

void signal_child(uint64_t id, int signal) {
  for (int i = 0; i < child_count; ++i) {
    if (children[i].id != id) continue;
    const Child child = children[i];
    // A fork may race with a look: what is killed cannot fork again, so a few looks find the rest.
    for (int look = 0; signal_tree(child, signal) != 0 && signal == SIGKILL && look < 16; ++look) {
    }
    return;
  }
}

// --- starting ---------------------------------------------------------------------------------------------------------

struct Start {
  const char* cwd;
  char** argv;
  char** envp;
  const char* path;  // the PATH of envp
  int input;         // -1: /dev/null
  int output;
  int error;
  What failed;  // set by the child, which shares our memory until it executes
  int code;
};

void execute(Start& start) {
  const char* name = start.argv[0];
  if (strchr(name, '/') != nullptr) {
    execve(name, start.argv, start.envp);
    start.code = errno;
    return;
  }
  // As execvp does: the first that is there and may be run; "may not be run" is kept in mind for the end.
  start.code = ENOENT;
  static char candidate[8192];
  for (const char* at = start.path; at != nullptr;) {
    const char* end = strchrnul(at, ':');
    const int length = static_cast<int>(end - at);
    const int size = snprintf(candidate, sizeof candidate, "%.*s%s%s", length, at, length == 0 ? "" : "/", name);
    if (*name != 0 && size > 0 && static_cast<size_t>(size) < sizeof candidate) {
      execve(candidate, start.argv, start.envp);
      if (errno == EACCES) start.code = EACCES;
      if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
        start.code = errno;
        return;
      }
    }
    at = *end == 0 ? nullptr : end + 1;
  }
}

[[noreturn]] void run_child(Start& start, pid_t guard) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != guard) _exit(127);  // it died before that was in force
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int input = start.input >= 0 ? start.input : open("/dev/null", O_RDONLY);
  dup2(input, 0);
  dup2(start.output, 1);
  dup2(start.error, 2);
  close_range(3, ~0U, 0);
  start.failed = What::no_directory;
  if (chdir(start.cwd) != 0) {
    start.code = errno;
  } else {
    start.failed = What::not_executed;
    execute(start);
  }
  _exit(127);
}

// vfork: the child borrows our memory, so nothing is copied and the reason of a failure needs no way back.
__attribute__((noinline)) pid_t start_child(Start& start) {
  const pid_t guard = getpid();
  const pid_t pid = vfork();
  if (pid == 0) run_child(start, guard);
  return pid;
}

const char* path_of(char** envp) {
  for (; *envp != nullptr; ++envp) {
    if (strncmp(*envp, "PATH=", 5) == 0) return *envp + 5;
  }
  return "/usr/local/bin:/usr/bin:/bin";
}

// The next string of the body; null if it is not whole.
char* next_string(char*& at, char* end) {
  char* string = at;
  void* nul = at < end ? memchr(at, 0, static_cast<size_t>(end - at)) : nullptr;
  if (nul == nullptr) return nullptr;
  at = static_cast<char*>(nul) + 1;
  return string;
}

void spawn(const Request& request, char* body, int* fds) {
  const size_t pointers = static_cast<size_t>(request.argc) + request.envc + 2;
  char** strings = static_cast<char**>(calloc(pointers, sizeof(char*)));
  if (strings == nullptr || child_count == kMaxChildren) {
    free(strings);
    report(request.child, What::not_started, ENOMEM);
    return;
  }
  Start start;
  memset(&start, 0, sizeof start);
  char* at = body;
  char* const end = body + request.body_size;
  start.cwd = next_string(at, end);
  start.argv = strings;
  start.envp = strings + request.argc + 1;
  bool whole = start.cwd != nullptr && request.argc != 0;
  for (uint32_t i = 0; i < request.argc && whole; ++i) whole = (start.argv[i] = next_string(at, end)) != nullptr;
  for (uint32_t i = 0; i < request.envc && whole; ++i) whole = (start.envp[i] = next_string(at, end)) != nullptr;
  if (!whole) {
    free(strings);
    report(request.child, What::not_started, EINVAL);
    return;
  }
  start.path = path_of(start.envp);
  start.output = fds[0];
  start.error = fds[1];
  start.input = request.has_input ? fds[2] : -1;
  const pid_t pid = start_child(start);
  const int code = errno;
  free(strings);
  if (pid < 0) {
    report(request.child, What::not_started, code);
  } else if (start.code != 0) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    report(request.child, start.failed, start.code);
  } else {
    children[child_count++] = {request.child, pid};
  }
}

// --- the conversation -------------------------------------------------------------------------------------------------

void serve_spawn(const Request& request, char* inline_body, int* fds, int fd_count) {
  const int expected = 2 + (request.has_input ? 1 : 0) + (request.body_is_file ? 1 : 0);
  if (fd_count != expected) {
    report(request.child, What::not_started, EBADF);
  } else if (!request.body_is_file) {
    spawn(request, inline_body, fds);
  } else {
    void* body = mmap(nullptr, request.body_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fds[fd_count - 1], 0);
    if (body == MAP_FAILED) {
      report(request.child, What::not_started, errno);
    } else {
      spawn(request, static_cast<char*>(body), fds);
      munmap(body, request.body_size);
    }
  }
  for (int i = 0; i < fd_count; ++i) close(fds[i]);
}

// False: the worker is gone.
bool serve_request() {
  static char packet[sizeof(Request) + kMaxInlineBody];
  alignas(cmsghdr) char control[CMSG_SPACE(8 * sizeof(int))];
  iovec part{packet, sizeof packet};
  msghdr message;
  memset(&message, 0, sizeof message);
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t size = recvmsg(kSocketFd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  if (static_cast<size_t>(size) < sizeof(Request)) return false;
  int fds[8];
  int fd_count = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    fd_count = static_cast<int>((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(fds, CMSG_DATA(header), static_cast<size_t>(fd_count) * sizeof(int));
  }
  Request request;
  memcpy(&request, packet, sizeof request);
  if (request.verb == Verb::spawn) serve_spawn(request, packet + sizeof request, fds, fd_count);
  if (request.verb == Verb::signal) signal_child(request.child, request.signal);
  return true;
}

void child_ended(int index, int status) {
  const Child child = children[index];
  children[index] = children[--child_count];
  if (child_count == 0) {
    // Nothing else may be there: if the kernel knows another child, it is an orphan of this command.
    for (;;) {
      const pid_t orphan = waitpid(-1, nullptr, WNOHANG);
      if (orphan < 0) break;
      if (orphan == 0) {
        sweep();
        waitpid(-1, nullptr, 0);
      }
    }
    sweep_is_due = false;
  } else {
    sweep_is_due = true;
  }
  if (WIFSIGNALED(status)) {
    report(child.id, What::signalled, WTERMSIG(status));
  } else {
    report(child.id, What::exited, WEXITSTATUS(status));
  }
}

void reap() {
  for (;;) {
    siginfo_t info;
    info.si_pid = 0;
    // Looked at first and reaped later: while it is a zombie its number, and its group's, is nobody else's.
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    const Child* child = find_child(info.si_pid);
    if (child != nullptr) kill(-info.si_pid, SIGKILL);  // what is left of its group
    int status = 0;
    waitpid(info.si_pid, &status, 0);
    if (child != nullptr) child_ended(static_cast<int>(child - children), status);
  }
}

// The worker is gone: kill everything, again and again, until the kernel knows no child of ours.
[[noreturn]] void end() {
  for (int i = 0; i < child_count; ++i) kill(-children[i].pid, SIGKILL);
  child_count = 0;
  while (waitpid(-1, nullptr, WNOHANG) >= 0) {
    sweep();
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    sched_yield();
  }
  _exit(0);
}

int make_signal_fd() {
  sigset_t signals;
  sigfillset(&signals);
  sigprocmask(SIG_SETMASK, &signals, nullptr);  // nothing but the end of the socket ends the guard
  sigemptyset(&signals);
  sigaddset(&signals, SIGCHLD);
  return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || strlen(argv[1]) >= sizeof token) return 2;
  strcpy(token, argv[1]);
  memset(argv[1], '*', strlen(argv[1]));
  prctl(PR_SET_NAME, "tq-guard");
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  close(kInheritedFd + 1);  // our own program
  fcntl(kSocketFd, F_SETFD, FD_CLOEXEC);
  fcntl(kInheritedFd, F_SETFD, FD_CLOEXEC);
  const int signals = make_signal_fd();
  if (signals < 0) return 2;
  for (;;) {
    const short socket_events = static_cast<short>(report_count != 0 ? POLLIN | POLLOUT : POLLIN);
    pollfd wait[2] = {{kSocketFd, socket_events, 0}, {signals, POLLIN, 0}};
    const long long sweep_in = last_sweep + kSweepMilliseconds - now_ms();
    const int timeout = !sweep_is_due ? -1 : static_cast<int>(sweep_in > 0 ? sweep_in : 0);
    if (poll(wait, 2, timeout) == 0) sweep();
    if (wait[1].revents != 0) {
      signalfd_siginfo info;
      while (read(signals, &info, sizeof info) > 0) {
      }
      reap();
    }
    if ((wait[0].revents & POLLOUT) != 0) send_reports();
    if ((wait[0].revents & ~POLLOUT) != 0 && !serve_request()) end();
  }
}
