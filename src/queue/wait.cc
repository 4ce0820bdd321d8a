// The verbs that wait. All alike: read the bell's counter, look, sleep until it moves; so nothing that happens in between is
// missed, and nothing wakes up for nothing.
#include "engine/ledger.hpp"
#include "engine/query.hpp"
#include "queue/impl.hpp"

#include <chrono>

namespace tq {
namespace {

using Steady = std::chrono::steady_clock;

// What is left of a time-out that began when this was made.
class Countdown {
 public:
  explicit Countdown(Duration timeout) : endless_(timeout > kMaxDuration), end_(Steady::now()) {
    if (!endless_) end_ += timeout;
  }
  Duration left() const {
    if (endless_) return Duration::max();
    return std::max(std::chrono::ceil<Duration>(end_ - Steady::now()), Duration::zero());
  }

 private:
  bool endless_;
  Steady::time_point end_;
};

// Looks until `look` has an answer, sleeping in between; its last answer after the time-out.
template <class Look>
auto look_until(loop::Doorbell& bell, loop::Topics topics, Duration timeout, Look look) {
  const Countdown countdown(timeout);
  for (;;) {
    const std::uint32_t ticket = bell.ticket();
    auto answer = look();
    const Duration left = countdown.left();
    if (answer || left == Duration::zero()) return answer;
    bell.wait(ticket, topics, left);
  }
}

}  // namespace

std::optional<Result> TaskQueue::wait(JobId id, Duration timeout) const {
  return look_until(*impl_->bell, loop::kTopicFinal, timeout, [&] { return result(id); });
}

EventSeq TaskQueue::wait_events(EventSeq after, Duration timeout) const {
  const auto newest = look_until(*impl_->bell, loop::kTopicEvents, timeout, [&]() -> std::optional<EventSeq> {
    const EventSeq last = engine::totals(impl_->read()).next_event - 1;
    if (last > after) return last;
    return std::nullopt;
  });
  return newest.value_or(after);
}

bool TaskQueue::wait_log(JobId id, std::uint64_t after, Duration timeout) const {
  return look_until(*impl_->bell, loop::kTopicLog | loop::kTopicFinal, timeout, [&] {
    const auto job = engine::find_job(impl_->read(), id);
    if (!job) base::fail<NotFound>("there is no job {}", id);
    return job->header.log_next > after + 1 || is_final(job->header.state);
  });
}

}  // namespace tq
