// A clock on the wall that a test sets while programs run: libfaketime in each of them, which looks into a file for how far
// that clock is from the machine's. Monotonic time is left as it is.
#pragma once

#include "cli/sandbox.hpp"

#include <tq/types.hpp>

#include <fcntl.h>

namespace tq::test {

inline constexpr Duration kTenYears = std::chrono::hours{24 * 3652};

// Of all programs that are started in the sandbox from then on. One thread at a time.
class FakedClock {
 public:
  explicit FakedClock(Sandbox& sandbox);

  Duration offset() const { return offset_; }
  // As an administrator would set it. What runs sees it at once.
  void set(Duration ahead_of_the_machine);
  void advance(Duration by) { set(offset_ + by); }

 private:
  const std::string file_;
  Duration offset_{0};
};

// Where jobs report, line by line. One thread at a time.
class Reports {
 public:
  explicit Reports(const Sandbox& sandbox);

  // A script that reports these words.
  std::string say(const std::string& words) const { return "echo " + words + " > " + path_; }
  // The next report. Throws if none comes for a minute.
  std::string next();
  // Nothing if none comes in so much time.
  std::optional<std::string> next_within(Duration time);

 private:
  const std::string path_;
  base::Fd fifo_;
  std::string read_;
};

// SIGSTOP to a process and all below it, as far as they run tq's own programs; and SIGCONT.
void suspend(pid_t pid);
void resume(pid_t pid);

}  // namespace tq::test
