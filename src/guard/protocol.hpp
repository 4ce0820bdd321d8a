// What a worker, its guard and the guard's keepers say to each other.
//
// The guard is one process with one keeper for each command that runs at the same time. A keeper is a copy of the guard; it
// runs one command after the other, and being a subreaper it has no descendants but those of its command: so it knows, and
// for nothing, when a command has left nothing behind.
//
//   worker --- guard               "a keeper, please", with the keeper's end of a socket
//      +------ keeper, keeper ...  commands and signals for them; how they ended
//
// All are SOCK_SEQPACKET pairs: one message a packet, in the machine's byte order, since both ends are of one build.
//
//   worker -> guard    Request (keep), with one descriptor: the socket of the new keeper
//   worker -> keeper   Request (spawn), followed by its body, unless that is too long for a packet: then the body is in a file in
//                      memory, the last descriptor. Descriptors: standard output, standard error, [standard input], [body].
//                      The next one not before the report of this one.
//                      Request (signal): ignored if it is not about the command that runs
//   keeper -> worker   Report: how the command ended, or why it did not start
//   guard -> worker    Report with child 0, on the socket of a keeper that could not be made
//
//   body := cwd NUL  argc * (arg NUL)  envc * (NAME=VALUE NUL)
//
// The end of the worker's socket to the guard, or of the worker, means: kill everything, wait for it, and end.
#pragma once

#include <stdint.h>

namespace tq::guard {

// The descriptors that the guard is started with, after 0 to 2, which are /dev/null.
inline constexpr int kSocketFd = 3;
inline constexpr int kInheritedFd = 4;  // held until guard and keepers have ended; nothing else is done with it
inline constexpr int kWorkerFd = 5;     // a pidfd: a copy of the socket in a fork of the worker must not hide its death
inline constexpr int kProgramFd = 6;    // closed at once

inline constexpr uint32_t kMaxInlineBody = 32 * 1024;

enum class Verb : uint32_t { keep = 1, spawn = 2, signal = 3 };

struct Request {
  Verb verb;
  int32_t signal;  // of Verb::signal
  uint64_t child;  // chosen by the worker, from 1
  uint32_t argc;   // of Verb::spawn, as all below
  uint32_t envc;
  uint32_t body_size;
  uint8_t has_input;
  uint8_t body_is_file;
  uint16_t unused;
};

enum class What : uint32_t {
  exited = 1,          // code: the status
  signalled = 2,       // code: the signal
  not_started = 3,     // code: the errno of whatever came before the next three
  no_directory = 4,    // of chdir
  not_executed = 5,    // of execve
  no_interpreter = 6,  // ENOENT: the file is there, but not what its first line, or its ELF header, names
};

struct Report {
  What what;
  int32_t code;
  uint64_t child;
};

// Every command has this variable in its environment, with the worker's token and the number of the child behind it:
// TQ_GUARD=<token>.<child>. It tells whose a process is when worker and guard have both been killed.
inline constexpr char kMarker[] = "TQ_GUARD=";

}  // namespace tq::guard
