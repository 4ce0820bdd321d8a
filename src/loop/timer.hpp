// Two timers: one for spans of time, one for times of the day.
#pragma once

#include "loop/event_loop.hpp"

#include <tq/types.hpp>

#include <functional>
#include <memory>
#include <optional>

namespace tq::loop {

// Fires once after a span of monotonic time: setting the clock does not touch it. Loop thread only. May be destroyed in
// its own callback.
class Timer {
 public:
  Timer(EventLoop& loop, std::function<void()> fire);
  ~Timer();
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  // In place of an earlier start.
  void start(Duration after);
  void cancel();

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// Fires at a time of the wall clock, also when the machine slept past it, and whenever somebody set the clock (so that the
// owner looks again). Nothing wakes up in between. Loop thread only.
class WallTimer {
 public:
  WallTimer(EventLoop& loop, std::function<void()> fire);
  ~WallTimer();
  WallTimer(const WallTimer&) = delete;
  WallTimer& operator=(const WallTimer&) = delete;
  // In place of an earlier time; nothing: never (but for a set clock).
  void set(std::optional<Time> when);

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tq::loop
