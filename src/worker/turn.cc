#include "worker/turn.hpp"

#include "base/failpoint.hpp"
#include "base/thread.hpp"
#include "engine/due.hpp"
#include "engine/workers.hpp"

#include <fmt/core.h>

namespace tq::worker {
namespace {

// How much of what is due, of what retention removes and of what nobody can run, one turn does: so that no turn takes long.
constexpr std::size_t kDueBatch = 1000;
constexpr std::size_t kCollectBatch = 100;
constexpr std::size_t kUnknownBatch = 100;

void apply_output(engine::Ledger& ledger, const TurnInput& input, std::uint64_t limit_bytes) {
  for (const OutputPart& part : input.output) {
    engine::append_output(ledger, part.key, part.head, 0, limit_bytes);
    if (part.skipped_bytes != 0 || !part.tail.empty()) {
      engine::append_output(ledger, part.key, part.tail, part.skipped_bytes, limit_bytes);
    }
  }
  for (const ProgressPart& part : input.progress) {
    engine::report_progress(ledger, part.key, part.fraction, part.text);
  }
}

void apply_ended(engine::Ledger& ledger, TurnInput& input, std::uint32_t max_crashes, TurnOutput& output) {
  for (Ended& ended : input.ended) {
    if (ended.crashed) {
      if (ended.outcome.began) engine::begin(ledger, ended.key, *ended.outcome.began);
      auto job = engine::load_running(ledger, ended.key);
      if (job) engine::crash(ledger, *job, max_crashes, ended.outcome.error);
    } else if (!engine::finish(ledger, ended.key, std::move(ended.outcome))) {
      output.late.push_back(ended.key.job);
    }
  }
}

// Returns whether there were any.
bool fail_unknown(engine::Ledger& ledger, const engine::ClaimRequest& request) {
  engine::ClaimRequest foreign = request;
  foreign.tasks_are_excluded = true;
  foreign.limit = kUnknownBatch;
  foreign.ahead = 0;
  const std::vector<engine::Claimed> jobs = engine::claim(ledger, foreign);
  for (const engine::Claimed& job : jobs) {
    engine::Outcome outcome{.kind = engine::Outcome::Kind::failed, .for_good = true};
    outcome.error = fmt::format("no handler is registered for task '{}'", job.task);
    engine::finish(ledger, {job.id, job.record.header.run, request.worker}, std::move(outcome));
  }
  return !jobs.empty();
}

}  // namespace

TurnOutput take_turn(TaskQueue::Impl& queue, WorkerId worker, std::uint32_t max_crashes, TurnInput input) {
  TurnOutput output;
  for (const auto& [dead, how] : input.dead) queue.kill_leftovers(dead);
  // What was claimed, due or lost with its worker, a power cut may undo: it is found again.
  const bool has_news =
      !input.begun.empty() || !input.output.empty() || !input.progress.empty() || !input.ended.empty() || input.update;
  std::size_t follow_ups = 0;
  for (const Ended& ended : input.ended) follow_ups += ended.outcome.follow_ups.size();
  const auto edit = [&](engine::Ledger& ledger) {
    for (const Begin& begun : input.begun) engine::begin(ledger, begun.key, begun.time);
    apply_output(ledger, input, queue.options.log_bytes_per_job);
    apply_ended(ledger, input, max_crashes, output);
    for (const auto& [dead, how] : input.dead) queue.rescue(ledger, dead, how);
    if (input.update) engine::update_worker(ledger, worker, *input.update);
    output.more_due = engine::fire_due(ledger, kDueBatch) >= kDueBatch;
    output.more_due |= engine::collect(ledger, kCollectBatch).more;
    if (input.claim.limit + input.claim.ahead != 0) {
      output.claimed = engine::claim(ledger, input.claim);
      output.may_be_more = !output.claimed.empty();
      if (input.fail_unknown_tasks) output.may_be_more |= fail_unknown(ledger, input.claim);
    }
    output.next_due = engine::next_due(ledger.txn());
    output.next_keep = engine::next_keep(ledger.txn());
  };
  queue.change(Room::spared, follow_ups, edit, has_news ? store::Sync::full : store::Sync::relaxed);
  if (!output.claimed.empty()) TQ_FAILPOINT("worker.claimed");
  return output;
}

TurnOutput try_turn(TaskQueue::Impl& queue, WorkerId worker, std::uint32_t max_crashes, TurnInput input) {
  try {
    return take_turn(queue, worker, max_crashes, std::move(input));
  } catch (...) {
    TurnOutput output;
    output.error = std::current_exception();
    return output;
  }
}

TurnThread::TurnThread(TaskQueue::Impl& queue, WorkerId worker, std::uint32_t max_crashes,
                       std::function<void(TurnOutput)> done)
    : thread_(base::start_thread([this, &queue, worker, max_crashes, done = std::move(done)] {
        serve([&](TurnInput input) { done(try_turn(queue, worker, max_crashes, std::move(input))); });
      })) {}

TurnThread::~TurnThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void TurnThread::start(TurnInput input) {
  {
    const std::lock_guard lock(mutex_);
    TQ_ASSERT(!input_);
    input_ = std::move(input);
  }
  wake_.notify_one();
}

void TurnThread::serve(const std::function<void(TurnInput)>& take) {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [&] { return ending_ || input_; });
    if (!input_) return;
    TurnInput input = std::move(*input_);
    input_.reset();
    lock.unlock();
    take(std::move(input));
    lock.lock();
  }
}

}  // namespace tq::worker
