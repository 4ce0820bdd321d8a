// The spawn guard, seen from the worker: a tiny single-threaded process of its own that starts commands and kills whatever
// they started. It costs the same whatever the size of this process, owns all SIGCHLDs, adopts orphans (subreaper), and when
// this process dies, however, it kills every command with all descendants, waits for them, and only then ends: a lock that it
// inherited is free when nothing runs any more. src/guard/ has its program, which is embedded in this library.
#pragma once

#include "base/fd.hpp"
#include "loop/event_loop.hpp"

#include <tq/types.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tq::loop {

// How a command ended.
struct ChildExit {
  enum class Kind { exited, signalled, not_started, lost };  // lost: the guard itself died
  Kind kind = Kind::exited;
  int code = 0;            // exit status, signal, or errno of what failed
  std::string error;       // of not_started and lost: one sentence ("cannot run 'foo': No such file or directory")
  bool not_found = false;  // of not_started: the command, or what it is to be run with, is not there
  // As a shell would say it: the status, 128 + signal, 127 not found, 126 may not be run.
  int exit_code() const;
};

struct ChildSpec {
  std::vector<std::string> argv;
  std::vector<std::pair<std::string, std::string>> env;  // the whole of it; argv[0] is looked up in its PATH
  std::string cwd;
  base::Fd input;  // its standard input; none: /dev/null
};

using ChildId = std::uint64_t;

// Loop thread only.
class Guard {
 public:
  struct Options {
    int inherit_fd = -1;  // kept open by the guard until it ends (the worker's lock); -1: none
    std::string token;    // put into the environment of every command as TQ_GUARD; tells its descendants
    bool own_process =
        false;  // this process may become subreaper, so that nothing escapes if the guard itself is killed
    std::function<void()> died;  // the guard ended by itself (somebody killed it): every child has been reported `lost`
  };

  // Starts the guard process. Throws IoError.
  Guard(EventLoop& loop, Options options);
  // Kills every command with its descendants and waits for the guard to end.
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  std::int64_t pid() const;

  // Starts a command. `output` is called with what it writes as it comes, `ended` exactly once, after the last output: when
  // the command itself has ended, what is left of its descendants has been killed, and the pipes are drained. Never called
  // from within spawn() or after the guard is destroyed.
  ChildId spawn(ChildSpec spec, std::function<void(Stream, std::string_view)> output,
                std::function<void(ChildExit)> ended);
  // Sends a signal to the command and all its descendants, wherever they have moved (sessions, process groups, orphans).
  // Does nothing if it has ended.
  void signal(ChildId child, int signal);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// Kills every process on this machine that has TQ_GUARD=token in its environment and waits until they are gone: what is left when a
// worker and its guard were killed together. Any thread; blocks for milliseconds. Returns how many.
std::size_t kill_leftovers(std::string_view token);

}  // namespace tq::loop
