// The store held against the plain model.
#include "simulation_run.hpp"

#include "engine/check.hpp"
#include "engine/steer.hpp"
#include "engine/workers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace tq::engine {
namespace {

std::string text(const std::optional<int>& number) { return number ? std::to_string(*number) : "none"; }
std::string text(const std::optional<Time>& time) {
  return time ? std::to_string(time->time_since_epoch().count()) : "none";
}
std::string text(const std::optional<Duration>& span) { return span ? std::to_string(span->count()) : "none"; }

template <class Key>
std::string as_text(const Key& key) {
  return std::string(std::string_view(store::encode_key(key)));
}

std::int64_t ms(Time time) { return time.time_since_epoch().count(); }

}  // namespace

void Simulation::compare() {
  const store::ReadTransaction txn = store_.read();
  compare_events(txn);
  compare_counters(txn);
  for (const JobId id : touched_) {
    compare_job(txn, id);
    compare_index(txn, id);
  }
  touched_.clear();
}

void Simulation::compare_all() {
  const store::ReadTransaction txn = store_.read();
  compare_workers(txn);
  same("the number of jobs", plain_.jobs.size(), engine::list(txn, {.limit = SIZE_MAX}).size());
  for (const auto& [id, job] : plain_.jobs) {
    compare_job(txn, id);
    compare_index(txn, id);
  }
  // That the log has no gaps is for check to say.
  const std::vector<Event> first = engine::events(txn, {.limit = 1});
  same("whether there are events", plain_.log.empty(), first.empty());
  if (!first.empty()) same("the first event", plain_.log.front().seq, first.front().seq);
  const CheckReport report = check(txn, true);
  if (!report.problems.empty()) throw Difference("check says: " + report.problems.front());
}

void Simulation::compare_events(const store::ReadTransaction& txn) {
  const std::vector<Event> events = engine::events(txn, {.after = compared_, .limit = SIZE_MAX});
  auto expected = plain_.log.end();
  while (expected != plain_.log.begin() && std::prev(expected)->seq > compared_) --expected;
  same("the number of new events", static_cast<std::size_t>(plain_.log.end() - expected), events.size());
  for (const Event& event : events) {
    const Event& right = *expected++;
    same("an event", to_string(right.type), to_string(event.type));
    same("an event's number", right.seq, event.seq);
    same("an event's time", text(right.time), text(event.time));
    same("an event's job", right.job, event.job);
    same("an event's attempt", right.attempt, event.attempt);
    same("an event's worker", right.worker, event.worker);
    same("an event's queue", right.queue, event.queue);
    same("an event's fraction", right.fraction, event.fraction);
    if (right.text != PlainModel::kAnyText) same("an event's text", right.text, event.text);
    if (event.job != 0) touched_.insert(event.job);
  }
  compared_ = plain_.stats.last_event;
}

void Simulation::compare_counters(const store::ReadTransaction& txn) {
  std::map<std::string_view, std::array<std::uint64_t, kStateCount>> counted;
  for (const auto& [id, job] : plain_.jobs) ++counted[job.queue][static_cast<std::size_t>(job.state)];
  const std::vector<QueueInfo> queues = engine::queues(txn);
  same("the number of queues", plain_.queues.size(), queues.size());
  for (const QueueInfo& queue : queues) {
    const auto& right = counted[queue.name];
    for (std::size_t state = 1; state < kStateCount; ++state) {
      if (queue.count[state] == right[state]) continue;
      throw Difference(fmt::format("queue {} counts {} {} jobs and should count {}", queue.name, queue.count[state],
                                   to_string(static_cast<State>(state)), right[state]));
    }
    same("a queue's pause", plain_.queues.at(queue.name).paused, queue.paused);
    same("a queue's limit", plain_.queues.at(queue.name).max_size, queue.settings.max_size);
  }
  const Stats stats = engine::stats(txn);
  same("the count of jobs", plain_.stats.enqueued, stats.enqueued);
  same("the count of attempts", plain_.stats.attempts, stats.attempts);
  same("the count of successes", plain_.stats.succeeded, stats.succeeded);
  same("the count of failures", plain_.stats.failed, stats.failed);
  same("the count of cancels", plain_.stats.cancelled, stats.cancelled);
  same("the count of the expired", plain_.stats.expired, stats.expired);
  same("the count of crashes", plain_.stats.crashes, stats.crashes);
  same("the newest event", plain_.stats.last_event, stats.last_event);
}

void Simulation::compare_workers(const store::ReadTransaction& txn) {
  const std::vector<KnownWorker> workers = known_workers(txn);
  same("the number of workers", plain_.workers.size(), workers.size());
  for (const KnownWorker& worker : workers) {
    same("a worker", true, plain_.workers.contains(worker.id));
    same("whether it stops", plain_.workers.at(worker.id).stopping, worker_info(worker.id, worker.record).stopping);
  }
}

void Simulation::compare_job(const store::ReadTransaction& txn, JobId id) {
  const auto known = plain_.jobs.find(id);
  const auto record = find_job(txn, id);
  same("whether the job is there", known != plain_.jobs.end(), record.has_value());
  if (!record) return;
  const PlainModel::Job& right = known->second;
  const model::JobHeader& header = record->header;
  const JobInfo job = *job_info(txn, id);
  same("the state", to_string(right.state), to_string(job.state));
  same("the queue", right.queue, job.queue);
  same("the task", right.task, job.task);
  same("the labels", right.labels == job.labels, true);
  same("the priority", right.priority, job.priority);
  same("the run", right.run, header.run);
  same("the attempt", right.attempt, job.attempt);
  same("the retries", right.max_retries, job.max_retries);
  same("the crashes", right.crashes, job.crashes);
  same("the backoff", right.backoff == job.backoff, true);
  same("the timeout", right.timeout == job.timeout, true);
  same("the time to live", text(right.ttl), text(job.result_ttl));
  same("the time it was added", text(right.enqueued), text(job.enqueued));
  same("the time it is due", text(right.due), text(job.due));
  same("the deadline", text(right.expires), text(job.expires));
  same("the time of its start", text(right.started), text(job.started));
  same("the time of its end", text(right.finished), text(job.finished));
  same("the end of its retention", ms(right.keep_until), header.keep_until_ms);
  same("the worker", right.worker, job.worker);
  same("whether it is claimed ahead", right.ahead, header.has(model::kAhead));
  same("whether it is asked to stop", right.cancel_requested, job.cancel_requested);
  if (right.cancel_requested) same("the signal", right.signal, cancel_request(header)->signal);
  same("the exit code", text(right.exit_code), text(job.exit_code));
  if (right.error != PlainModel::kAnyText) same("the error", right.error, job.error);
  same("the payload", right.payload == payload(txn, id)->bytes && right.payload.size() == job.payload_bytes, true);
  const auto result = engine::result(txn, id);
  same("whether there is a result", is_final(right.state), result.has_value());
  if (result) same("the result", right.result == result->value.bytes && right.state == result->state, true);
  same("the saved state", right.saved == saved_state(txn, id).value_or(""), true);
  same("the bytes of output", right.output.kept, job.log_bytes);
  same("the bytes of output that were dropped", right.output.dropped, job.log_dropped_bytes);
}

std::vector<std::string> Simulation::index_keys(const store::ReadTransaction& txn, const PlainModel::Job& job) const {
  std::vector<std::string> keys;
  if (job.state == State::ready) {
    keys.push_back(as_text(ReadyKey{find_queue(txn, job.queue).value(), find_task(txn, job.task).value(), ~job.priority,
                                    ms(job.due), job.id}));
  } else if (job.state == State::running) {
    keys.push_back(as_text(ActiveKey{job.worker, job.id}));
  } else if (is_final(job.state)) {
    keys.push_back(as_text(FinalKey{static_cast<std::uint8_t>(job.state), ms(*job.finished), job.id}));
    keys.push_back(as_text(KeepKey{ms(job.keep_until), job.id}));
  } else {
    keys.push_back(as_text(DueKey{ms(job.due), job.id}));
    if (job.waits_for_span) keys.push_back(as_text(SpanKey{ms(PlainModel::since(job)), job.id}));
  }
  if (PlainModel::may_expire(job)) keys.push_back(as_text(ExpiryKey{ms(*job.expires), job.id}));
  return keys;
}

// It stands where it ought to, and no more where it stood before.
void Simulation::compare_index(const store::ReadTransaction& txn, JobId id) {
  std::vector<std::string>& before = index_[id];
  const auto known = plain_.jobs.find(id);
  std::vector<std::string> now;
  if (known != plain_.jobs.end()) now = index_keys(txn, known->second);
  std::string_view nothing;
  for (const std::string& key : now) same("whether it is in an index", true, txn.get(Tree::index, key, nothing));
  for (const std::string& key : before) {
    if (std::find(now.begin(), now.end(), key) != now.end()) continue;
    same("whether it is still in an index", false, txn.get(Tree::index, key, nothing));
  }
  before = std::move(now);
  if (before.empty()) index_.erase(id);
}

}  // namespace tq::engine
