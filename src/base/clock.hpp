// Where "now" comes from: passed in, so that a test can hold it.
#pragma once

#include <tq/types.hpp>

namespace tq::base {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

// The system's wall clock.
const Clock& system_clock();

inline std::int64_t to_ms(Time time) { return time.time_since_epoch().count(); }
inline Time from_ms(std::int64_t ms) { return Time(Duration(ms)); }

}  // namespace tq::base
