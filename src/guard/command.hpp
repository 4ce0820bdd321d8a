// Starting a command.
#pragma once

#include "guard/protocol.hpp"

#include <sys/types.h>

namespace tq::guard {

// The descriptors that came with a request; -1: none.
struct Descriptors {
  int output = -1;
  int error = -1;
  int input = -1;  // none: /dev/null
  int body = -1;
};

// What became of a start: a process, or a reason.
struct Started {
  pid_t pid = -1;
  What failed{};
  int code = 0;  // errno
};

// Starts what `body` says, in a session of its own, with all signals at their defaults and no descriptor but three. Returns
// when it has been executed, or could not be. It is killed if this process dies.
Started start_command(const Request& request, char* body, const Descriptors& descriptors);

}  // namespace tq::guard
