// Every reason why a job is not running.
#include "base/clock.hpp"
#include "base/time_text.hpp"
#include "engine/ledger.hpp"
#include "engine/query.hpp"
#include "engine/workers.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace tq::engine {
namespace {

// Counting stops here: "1,000 or more" says enough, and the cost stays that of a page or two.
constexpr std::size_t kCountLimit = 1000;

std::size_t jobs_before(const store::Transaction& txn, const ReadyKey& key) {
  std::size_t count = 0;
  store::Cursor<ReadyKey> cursor(txn);
  const ReadyKey from{key.queue, key.task, INT32_MIN, INT64_MIN, 0};
  for (bool more = cursor.seek(from); more && count < kCountLimit; more = cursor.next()) {
    if (cursor.key().job == key.job) break;
    ++count;
  }
  return count;
}

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void add_worker_reason(const store::Transaction& txn, const std::string& queue, const std::string& task,
                       const std::function<bool(WorkerId)>& alive, std::vector<Reason>& reasons) {
  std::size_t slots = 0;
  std::size_t busy = 0;
  std::size_t workers = 0;
  for (const KnownWorker& known : known_workers(txn)) {
    const model::WorkerRecord& record = known.record;
    if (record.stopping || !alive(known.id) || !contains(record.tasks, task)) continue;
    if (!record.queues.empty() && !contains(record.queues, queue)) continue;
    ++workers;
    slots += record.concurrency;
    busy += jobs_of(txn, known.id).size();
  }
  if (workers == 0) {
    reasons.push_back({"no_worker", fmt::format("no worker is running for task '{}' of queue '{}'", task, queue)});
  } else if (busy >= slots) {
    reasons.push_back({"slots", fmt::format("all {} slots of {} worker(s) are busy", slots, workers)});
  }
}

}  // namespace

std::vector<Reason> why(const store::Transaction& txn, JobId id, Time now, const std::function<bool(WorkerId)>& alive) {
  const auto record = find_job(txn, id);
  if (!record) base::fail<NotFound>("there is no job {}", id);
  const model::JobHeader& header = record->header;
  if (is_final(header.state)) {
    const std::string when = base::format_time(base::from_ms(header.finished_ms));
    return {{"final", fmt::format("it is over: {} at {}", to_string(header.state), when)}};
  }
  if (header.has(model::kAhead)) {
    return {{"slots", fmt::format("worker {} has claimed it and begins it when it has a free slot", header.worker)}};
  }
  if (header.state == State::running) {
    return {{"running", fmt::format("it is running: attempt {} on worker {}", header.attempt, header.worker)}};
  }
  std::vector<Reason> reasons;
  const model::QueueRecord queue = queue_record(txn, header.queue);
  if (header.state == State::scheduled || header.state == State::retrying) {
    const Duration left = std::max(base::from_ms(header.due_ms) - now, Duration::zero());
    reasons.push_back(
        {"time",
         fmt::format("{} until {}, in {}", header.state == State::scheduled ? "it waits" : "it failed and waits",
                     base::format_time(base::from_ms(header.due_ms)), base::format_duration(left))});
  }
  if (queue.paused) reasons.push_back({"paused", fmt::format("queue '{}' is paused", queue.name)});
  if (header.state == State::ready) {
    const std::size_t before = jobs_before(txn, ready_key(id, header));
    if (before != 0) {
      reasons.push_back({"behind", fmt::format("{}{} jobs of queue '{}' come before it", before,
                                               before == kCountLimit ? " or more" : "", queue.name)});
    }
  }
  add_worker_reason(txn, queue.name, task_name(txn, header.task), alive, reasons);
  return reasons;
}

}  // namespace tq::engine
