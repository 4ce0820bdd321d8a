// The verbs that steer.
#include "engine/steer.hpp"

#include "base/text.hpp"
#include "engine/due.hpp"
#include "model/draft.hpp"
#include "queue/impl.hpp"
#include "store/blob.hpp"

#include <csignal>

namespace tq {
namespace {

// What one transaction removes at most, so that nobody waits long behind a large purge.
constexpr std::size_t kBatch = 500;

}  // namespace

CancelOutcome TaskQueue::cancel(JobId id, std::string_view reason, int signal) {
  if (signal < 1 || signal > SIGRTMAX)
    base::fail<InvalidArgument>("signal: {} is not between 1 and {}", signal, SIGRTMAX);
  return impl_->change(Room::spared,
                       [&](engine::Ledger& ledger) { return engine::cancel(ledger, id, reason, signal); });
}

void TaskQueue::retry(JobId id) {
  impl_->change(Room::spared, [&](engine::Ledger& ledger) { engine::retry(ledger, id); });
}

void TaskQueue::remove(JobId id) {
  impl_->change(Room::spared, [&](engine::Ledger& ledger) { engine::remove(ledger, id); });
}

void TaskQueue::set(JobId id, const JobChange& change) {
  model::check(change, impl_->clock->now());
  impl_->change(Room::spared, [&](engine::Ledger& ledger) { engine::change(ledger, id, change); });
}

void TaskQueue::pause(std::string_view queue) {
  base::check_name("queue", queue);
  impl_->change(Room::spared, [&](engine::Ledger& ledger) { engine::pause(ledger, queue); });
}

void TaskQueue::resume(std::string_view queue) {
  impl_->change(Room::spared, [&](engine::Ledger& ledger) { engine::resume(ledger, queue); });
}

void TaskQueue::configure(std::string_view queue, const QueueSettings& settings) {
  base::check_name("queue", queue);
  model::check(settings);
  impl_->change(Room::spared, [&](engine::Ledger& ledger) { engine::configure(ledger, queue, settings); });
}

std::uint64_t TaskQueue::purge(std::string_view queue, std::optional<State> state) {
  std::uint64_t removed = 0;
  engine::Purged purged;
  do {
    purged = impl_->change(
        Room::spared, [&](engine::Ledger& ledger) { return engine::purge(ledger, queue, state, purged.next, kBatch); });
    removed += purged.jobs;
  } while (purged.next != 0);
  return removed;
}

std::uint64_t TaskQueue::purge_dead(std::optional<Time> older_than) {
  std::uint64_t removed = 0;
  std::uint64_t batch = 0;
  do {
    batch = impl_->change(Room::spared,
                          [&](engine::Ledger& ledger) { return engine::purge_dead(ledger, older_than, kBatch); });
    removed += batch;
  } while (batch == kBatch);
  return removed;
}

std::uint64_t TaskQueue::collect() {
  std::uint64_t removed = 0;
  engine::Collected collected;
  do {
    collected = impl_->change(Room::spared, [&](engine::Ledger& ledger) { return engine::collect(ledger, kBatch); });
    removed += collected.jobs;
  } while (collected.more);
  store::collect_side_files(*impl_->environment);
  return removed;
}

}  // namespace tq
