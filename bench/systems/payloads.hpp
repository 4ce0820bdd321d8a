// What jobs carry: a number, and bytes to fill it up.
#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

inline constexpr std::size_t kPayloadBytes = 100;

// Payloads with numbers that no other run has used: time in nanoseconds, faster than any queue.
class Payloads {
 public:
  explicit Payloads(std::uint64_t producers) : step_(producers) {
    timespec time = {};
    ::clock_gettime(CLOCK_REALTIME, &time);
    base_ = static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
  }
  std::vector<std::string> make(std::uint64_t producer, std::uint64_t first, std::size_t count) const {
    std::vector<std::string> payloads;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string digits = std::to_string(base_ + (first + i) * step_ + producer);
      payloads.push_back(std::string(20 - digits.size(), '0') + digits);
      payloads.back().resize(kPayloadBytes, 'x');
    }
    return payloads;
  }
  static std::uint64_t number(std::string_view payload) { return std::stoull(std::string(payload.substr(0, 20))); }

 private:
  std::uint64_t base_, step_;
};

}  // namespace bench
