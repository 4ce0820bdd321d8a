#include "guard/command.hpp"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tq::guard {
namespace {

constexpr char kDefaultPath[] = "/usr/local/bin:/usr/bin:/bin";

constexpr size_t kOtherBytes = 16 * 1024;  // on a new program's stack, besides its arguments and environment

struct Start {
  const char* cwd = nullptr;
  char** argv = nullptr;
  char** envp = nullptr;
  const char* path = kDefaultPath;  // the PATH of envp
  Descriptors descriptors;
  pid_t parent = 0;
  rlim_t stack_needed = 0;
  // Set by the child, which shares our memory until it executes. Volatile, since the compiler knows nothing of that.
  volatile What failed = What::not_started;
  volatile int code = 0;
};

// --- in the child -------------------------------------------------------------------------------------------------------

// Returns the errno with which the file could not be executed.
int execute_file(Start& start, const char* file) {
  execve(file, start.argv, start.envp);
  const int code = errno;
  // Not there, or what it is to be run with is not there?
  if (code == ENOENT && access(file, F_OK) == 0) start.failed = What::no_interpreter;
  return code;
}

// As execvp does, but for scripts without a first line: the first file that is there and may be run; that one may not be run
// is kept in mind for the end.
int execute_in_path(Start& start, const char* name) {
  static char file[8192];
  int code = ENOENT;
  for (const char* at = start.path; *name != 0;) {
    const char* end = strchrnul(at, ':');
    const int length = static_cast<int>(end - at);
    const int size = snprintf(file, sizeof file, "%.*s%s%s", length, at, length == 0 ? "" : "/", name);
    if (size > 0 && static_cast<size_t>(size) < sizeof file) {
      const int failure = execute_file(start, file);
      if (start.failed == What::no_interpreter) return failure;
      if (failure == EACCES) code = EACCES;
      if (failure != ENOENT && failure != ENOTDIR && failure != EACCES) return failure;
    }
    if (*end == 0) break;
    at = end + 1;
  }
  return code;
}

// The kernel allows arguments and environment a quarter of the stack's limit: of 8 MB, as a rule, which is a little less than
// what tq allows. So the largest commands have a little more stack than others.
void raise_stack_limit(rlim_t needed) {
  rlimit limit{};
  getrlimit(RLIMIT_STACK, &limit);
  if (limit.rlim_cur >= needed) return;
  limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
  setrlimit(RLIMIT_STACK, &limit);
}

[[noreturn]] void fail(Start& start, What what, int code) {
  start.failed = what;
  start.code = code;
  _exit(127);
}

[[noreturn]] void run_child(Start& start) {
  setsid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != start.parent) _exit(127);  // it died before that was in force
  // All other descriptors are closed by the execution.
  const Descriptors& descriptors = start.descriptors;
  if ((descriptors.input >= 0 && dup2(descriptors.input, 0) < 0) || dup2(descriptors.output, 1) < 0 ||
      dup2(descriptors.error, 2) < 0) {
    fail(start, What::not_started, errno);
  }
  if (chdir(start.cwd) != 0) fail(start, What::no_directory, errno);
  raise_stack_limit(start.stack_needed);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const char* const name = start.argv[0];
  start.failed = What::not_executed;
  const int code = strchr(name, '/') != nullptr ? execute_file(start, name) : execute_in_path(start, name);
  fail(start, start.failed, code);
}

// --- in the parent ------------------------------------------------------------------------------------------------------

// The child borrows our memory, so nothing is copied, and the reason of a failure needs no way back.
__attribute__((noinline)) pid_t fork_child(Start& start) {
  const pid_t pid = vfork();
  if (pid == 0) run_child(start);
  return pid;
}

// The next string of the body; null if it is not whole.
char* next_string(char*& at, const char* end) {
  char* const string = at;
  void* const nul = at < end ? memchr(at, 0, static_cast<size_t>(end - at)) : nullptr;
  if (nul == nullptr) return nullptr;
  at = static_cast<char*>(nul) + 1;
  return string;
}

// Splits the body; false if it does not hold what the request says.
bool parse(const Request& request, char* body, char** pointers, Start& start) {
  const char* const end = body + request.body_size;
  start.cwd = next_string(body, end);
  start.argv = pointers;
  start.envp = pointers + request.argc + 1;
  if (start.cwd == nullptr || request.argc == 0) return false;
  for (uint32_t i = 0; i < request.argc; ++i) {
    if ((start.argv[i] = next_string(body, end)) == nullptr) return false;
  }
  for (uint32_t i = 0; i < request.envc; ++i) {
    if ((start.envp[i] = next_string(body, end)) == nullptr) return false;
    if (strncmp(start.envp[i], "PATH=", 5) == 0) start.path = start.envp[i] + 5;
  }
  return body == end;
}

}  // namespace

Started start_command(const Request& request, char* body, const Descriptors& descriptors) {
  Start start;
  const size_t count = static_cast<size_t>(request.argc) + request.envc + 2;
  char** const pointers = static_cast<char**>(calloc(count, sizeof(char*)));
  if (pointers == nullptr) return {-1, What::not_started, ENOMEM};
  if (!parse(request, body, pointers, start)) {
    free(pointers);
    return {-1, What::not_started, EINVAL};
  }
  start.descriptors = descriptors;
  start.parent = getpid();
  start.stack_needed = 4 * (request.body_size + count * sizeof(char*) + kOtherBytes);
  const pid_t pid = fork_child(start);
  const int code = errno;
  free(pointers);
  if (pid < 0) return {-1, What::not_started, code};
  if (start.code != 0) {
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return {-1, start.failed, start.code};
  }
  return {pid, What{}, 0};
}

}  // namespace tq::guard
