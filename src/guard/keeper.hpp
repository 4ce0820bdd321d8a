// A keeper: runs one command after the other, and leaves nothing of one behind.
#pragma once

#include <sys/types.h>

namespace tq::guard {

// Serves the worker at the other end of `socket`, until killed: that is the guard's to do, or the kernel's if the guard dies.
// All signals must be blocked, and SIGCHLD have a handler.
[[noreturn]] void keep(int socket, pid_t guard);

}  // namespace tq::guard
