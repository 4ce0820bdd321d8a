// One line at the bottom of a terminal that says how far something is.
#pragma once

#include "cli/terminal.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace tq::cli {

// "[######....]"
std::string bar(double fraction);

// Writes to stderr. One thread at a time. Does nothing where it is not wanted.
class Progress {
 public:
  Progress(const Terminal& terminal, bool is_wanted) : terminal_(terminal), is_wanted_(is_wanted) {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Whether show() would do anything now: it is not worth working out what to say ten times in a blink.
  bool is_due() const;
  void show(std::string_view text);
  // Takes the line away, so that something else can be written.
  void clear();

 private:
  const Terminal terminal_;
  const bool is_wanted_;
  bool is_shown_ = false;
  std::chrono::steady_clock::time_point last_{};
};

}  // namespace tq::cli
