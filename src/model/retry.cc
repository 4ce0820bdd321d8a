#include "model/retry.hpp"

#include <algorithm>
#include <cmath>

namespace tq::model {
namespace {

std::uint64_t splitmix64(std::uint64_t seed) {
  std::uint64_t mixed = seed + 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

std::int64_t bounded_ms(Duration duration) { return std::clamp(duration, Duration::zero(), kMaxDuration).count(); }

std::int64_t wait_ms(const Backoff& backoff, std::uint32_t retry) {
  const std::int64_t base = bounded_ms(backoff.base);
  if (backoff.kind == Backoff::Kind::constant) return base;
  const std::int64_t cap = bounded_ms(backoff.cap);
  const std::uint32_t doublings = std::max(retry, 1u) - 1;
  if (doublings >= 63 || base > (cap >> doublings)) return base == 0 ? 0 : cap;
  return base << doublings;
}

// Also for a jitter that nobody has checked.
std::int64_t permille(double jitter) { return jitter > 0 ? std::lround(std::min(jitter, 1.0) * 1000) : 0; }

}  // namespace

Duration retry_delay(const Backoff& backoff, std::uint32_t retry, std::uint64_t seed) {
  const std::int64_t wait = wait_ms(backoff, retry);
  const std::int64_t spread = wait * permille(backoff.jitter) / 1000;
  const auto choices = static_cast<std::uint64_t>(2 * spread + 1);
  return Duration(wait - spread + static_cast<std::int64_t>(splitmix64(seed) % choices));
}

std::uint64_t retry_seed(JobId job, std::uint32_t attempt) { return splitmix64(job ^ splitmix64(attempt)); }

}  // namespace tq::model
