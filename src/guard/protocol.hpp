// What a worker and its guard say to each other, over a SOCK_SEQPACKET pair: one message a packet, in the machine's byte order,
// since both are of one build on one machine.
//
//   worker -> guard   Request, for a spawn followed by its body, unless that is too long for a packet: then the body is in a
//                     file in memory, the last descriptor. Descriptors: standard output, standard error, [standard input],
//                     [body].
//   guard -> worker   Report
//
//   body := cwd NUL  argc * (arg NUL)  envc * (NAME=VALUE NUL)
#pragma once

#include <stdint.h>

namespace tq::guard {

// The descriptors that the guard is started with.
inline constexpr int kSocketFd = 3;
inline constexpr int kInheritedFd = 4;  // held until the guard ends; nothing else is done with it

inline constexpr uint32_t kMaxInlineBody = 32 * 1024;

enum class Verb : uint32_t { spawn = 1, signal = 2 };

struct Request {
  Verb verb;
  int32_t signal;  // of Verb::signal
  uint64_t child;  // chosen by the worker, counted up
  uint32_t argc;   // of Verb::spawn, as all below
  uint32_t envc;
  uint32_t body_size;
  uint8_t has_input;
  uint8_t body_is_file;
  uint16_t unused;
};

enum class What : uint32_t { exited = 1, signalled = 2, no_directory = 3, not_executed = 4, not_started = 5 };

struct Report {
  What what;
  int32_t code;  // exit status, signal, or errno
  uint64_t child;
};

// Every command has this variable in its environment, with the worker's token and the number of the child behind it:
// TQ_GUARD=<token>.<child>. It tells whose a process is when it has left its parents and its session.
inline constexpr char kMarker[] = "TQ_GUARD=";

}  // namespace tq::guard
