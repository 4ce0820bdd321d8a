// Another process that works on a store: one role of actor.cc, told by lines.
#pragma once

#include "support/process.hpp"

#include <string>

namespace tq::test {

class Actor {
 public:
  template <class... Arguments>
  Actor(const std::string& store, const std::string& role, const Arguments&... arguments)
      : Actor(std::vector<std::string>{}, store, role, arguments...) {}
  // With more variables ("NAME=value") in its environment.
  template <class... Arguments>
  Actor(const std::vector<std::string>& variables, const std::string& store, const std::string& role,
        const Arguments&... arguments)
      : process_({TQ_TEST_ACTOR, store, role, std::string(arguments)...}, variables) {}

  // The next line that it says, or nothing when it has said all.
  std::optional<std::string> try_line() { return process_.read_line(); }
  std::string line() {
    auto line = try_line();
    if (!line) throw std::runtime_error("the actor has ended where a line was expected");
    return std::move(*line);
  }
  // Lets it end: its input ends.
  void let_go() { process_.close_input(); }
  void kill(int signal) const { process_.kill(signal); }
  // Its exit status, or 128 and the signal.
  int wait() { return process_.wait(); }

  Process& process() { return process_; }
  pid_t pid() const { return process_.pid(); }

 private:
  Process process_;
};

}  // namespace tq::test
