#include "base/futex.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tq::base {
namespace {

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* until,
           std::uint32_t bits) {
  return ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, until, nullptr, bits);
}

// The monotonic time after `span`.
timespec after(Duration span) {
  span = std::max(span, Duration::zero());
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t nanoseconds = now.tv_nsec + span.count() % 1000 * 1'000'000;
  return {now.tv_sec + span.count() / 1000 + nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
}

}  // namespace

bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value, std::uint32_t bits, Duration timeout) {
  const bool endless = timeout > kMaxDuration;
  const timespec until = endless ? timespec{} : after(timeout);
  for (;;) {
    if (futex(word, FUTEX_WAIT_BITSET, value, endless ? nullptr : &until, bits) == 0) return true;
    if (errno != EINTR) return errno != ETIMEDOUT;
  }
}

void futex_wake(std::atomic<std::uint32_t>& word, std::uint32_t bits) {
  futex(word, FUTEX_WAKE_BITSET, INT_MAX, nullptr, bits);
}

}  // namespace tq::base
