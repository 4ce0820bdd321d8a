// One line at the bottom of a terminal that says how far something is.
#pragma once

#include "cli/terminal.hpp"

#include <tq/types.hpp>

#include <chrono>
#include <string>

namespace tq::cli {

// "[######....]"
std::string bar(double fraction);

// "[###.......] 31 % of 1200000 records"
std::string bar_of(std::uint64_t done, std::uint64_t all);

// Writes to stderr: on a terminal one line, over and over, else a line a second. One thread at a time. Does nothing where it is
// not wanted.
class Progress {
 public:
  Progress(const Terminal& terminal, bool is_wanted) : terminal_(terminal), is_wanted_(is_wanted) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows the text now, or when its time comes: nobody reads more than a few in a second.
  void show(std::string text);
  // Shows what is due, and returns how long the rest can wait; for ever if there is none.
  Duration refresh();
  // Takes the line away, so that something else can be written. The next one is shown at once.
  void clear();

 private:
  void draw();

  const Terminal terminal_;
  const bool is_wanted_;
  bool is_shown_ = false;
  std::string next_;  // not shown yet
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace tq::cli
