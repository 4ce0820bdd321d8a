#include "worker/ahead.hpp"

#include "base/fail.hpp"

#include <algorithm>
#include <iterator>

namespace tq::worker {
namespace {

constexpr double kHorizonUs = 20'000;
constexpr double kNewestCounts = 0.2;
// So that a turn stays short.
constexpr std::size_t kMost = 2000;

}  // namespace

std::size_t Ahead::wanted(std::size_t waiting) const {
  if (average_us_ <= 0 || average_us_ > kHorizonUs) return 0;
  const double slots = static_cast<double>(concurrency_);
  const auto many = static_cast<std::size_t>(std::min(kHorizonUs / average_us_ * slots, static_cast<double>(kMost)));
  // Not one by one: a turn that only claims one is not worth it.
  const std::size_t held = jobs_.size() + waiting;
  return held * 2 > many ? 0 : many - held;
}

void Ahead::ran(std::chrono::microseconds time) {
  const double us = std::max(static_cast<double>(time.count()), 1.0);
  average_us_ = average_us_ <= 0 ? us : average_us_ + kNewestCounts * (us - average_us_);
}

void Ahead::stalled() { average_us_ = std::max(average_us_, 2 * kHorizonUs); }

engine::Claimed Ahead::pop() {
  engine::Claimed job = std::move(jobs_.front());
  jobs_.pop_front();
  return job;
}

std::vector<engine::Claimed> Ahead::take_all() {
  std::vector<engine::Claimed> all(std::make_move_iterator(jobs_.begin()), std::make_move_iterator(jobs_.end()));
  jobs_.clear();
  return all;
}

engine::Claimed Ahead::take(JobId id) {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(), [id](const auto& job) { return job.id == id; });
  TQ_ASSERT(found != jobs_.end());
  engine::Claimed job = std::move(*found);
  jobs_.erase(found);
  return job;
}

}  // namespace tq::worker
