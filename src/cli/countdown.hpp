// What is left of a time that somebody is willing to wait.
#pragma once

#include <tq/types.hpp>

#include <algorithm>
#include <chrono>
#include <optional>

namespace tq::cli {

class Countdown {
 public:
  // Nothing: for ever.
  explicit Countdown(std::optional<Duration> timeout) {
    if (timeout) end_ = std::chrono::steady_clock::now() + *timeout;
  }

  Duration left() const {
    if (!end_) return Duration::max();
    const auto left = std::chrono::ceil<Duration>(*end_ - std::chrono::steady_clock::now());
    return std::max(left, Duration::zero());
  }
  bool is_over() const { return left() == Duration::zero(); }

 private:
  std::optional<std::chrono::steady_clock::time_point> end_;
};

}  // namespace tq::cli
