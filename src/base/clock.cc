#include "base/clock.hpp"

namespace tq::base {

const Clock& system_clock() {
  class SystemClock : public Clock {
    Time now() const override { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }
  };
  static const SystemClock clock;
  return clock;
}

}  // namespace tq::base
