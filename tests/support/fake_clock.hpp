// A clock that stands still until a test moves it.
#pragma once

#include "base/clock.hpp"

#include <atomic>

namespace tq::test {

// Some time in 2026, where a test has no wish of its own.
inline constexpr Time kStart{Duration{1'767'225'600'000}};  // 2026-01-01T00:00:00Z

// Thread-safe.
class FakeClock : public base::Clock {
 public:
  explicit FakeClock(Time now = kStart) : now_(now) {}

  Time now() const override { return now_.load(); }
  void set(Time now) { now_.store(now); }
  void advance(Duration by) { now_.store(now() + by); }

 private:
  std::atomic<Time> now_;
};

}  // namespace tq::test
