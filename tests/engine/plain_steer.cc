// Of the plain model: what people do, and what time does.
#include "plain_model.hpp"

#include <algorithm>
#include <tuple>

namespace tq::engine {
namespace {

bool waits(State state) {
  return state == State::blocked || state == State::scheduled || state == State::ready || state == State::retrying;
}

}  // namespace

// --- steering ---

CancelOutcome PlainModel::cancel(JobId id, const std::string& reason, int signal) {
  const auto known = jobs.find(id);
  if (known == jobs.end()) return CancelOutcome::no_such_job;
  Job& job = known->second;
  if (is_final(job.state)) return CancelOutcome::already_final;
  job.error = reason;
  if (job.state == State::running) {
    job.cancel_requested = true;
    job.signal = signal;
    job.exit_code.reset();
    say(job, EventType::cancel_requested, reason, job.worker);
    return CancelOutcome::requested;
  }
  end(job, State::cancelled, EventType::cancelled, reason);
  return CancelOutcome::cancelled;
}

bool PlainModel::retry(JobId id) {
  const auto known = jobs.find(id);
  if (known == jobs.end()) return false;
  Job& job = known->second;
  if (!is_final(job.state) && job.state != State::scheduled && job.state != State::retrying) return false;
  if (is_final(job.state)) {
    job.attempt = 0;
    if (flaw != Flaw::retry_keeps_crashes) job.crashes = 0;
    job.exit_code.reset();
    job.finished.reset();
    job.expires.reset();
    job.keep_until = {};
    job.error.clear();
    job.result.clear();
  }
  job.state = State::ready;
  job.due = now;
  say(job, EventType::retried);
  return true;
}

bool PlainModel::remove(JobId id) {
  const auto known = jobs.find(id);
  if (known == jobs.end() || !is_final(known->second.state)) return false;
  drop(id);
  return true;
}

bool PlainModel::change(JobId id, const JobChange& change) {
  const auto known = jobs.find(id);
  if (known == jobs.end() || !waits(known->second.state)) return false;
  Job& job = known->second;
  if (change.queue && *change.queue != job.queue) {
    if (is_full(*change.queue)) return false;
    queue(*change.queue);
    job.queue = *change.queue;
  }
  if (change.priority) job.priority = *change.priority;
  if (change.labels) job.labels = *change.labels;
  if (change.at) {
    job.due = std::max(*change.at, now);
    job.waits_for_span = false;
    if (job.due == now) job.state = State::ready;
    if (job.due > now && job.state == State::ready) job.state = State::scheduled;
  }
  say(job, EventType::changed);
  return true;
}

void PlainModel::pause(const std::string& name) {
  Queue& queue = this->queue(name);
  if (!queue.paused) say({.type = EventType::queue_paused, .queue = name});
  queue.paused = true;
}

bool PlainModel::resume(const std::string& name) {
  const auto known = queues.find(name);
  if (known == queues.end()) return false;
  if (known->second.paused) say({.type = EventType::queue_resumed, .queue = name});
  known->second.paused = false;
  return true;
}

void PlainModel::configure(const std::string& name, std::uint64_t max_size) {
  Queue& queue = this->queue(name);
  if (queue.max_size != max_size) say({.type = EventType::queue_changed, .queue = name});
  queue.max_size = max_size;
}

std::size_t PlainModel::purge(const std::string& queue, std::optional<State> state) {
  const auto is_purged = [&](const Job& job) {
    return job.queue == queue && (state ? job.state == *state : waits(job.state));
  };
  const std::vector<JobId> found = search(
      is_purged, [](const Job& job) { return job.id; }, SIZE_MAX);
  for (const JobId id : found) drop(id);
  return found.size();
}

std::size_t PlainModel::purge_dead(std::optional<Time> older_than, std::size_t limit) {
  const auto is_dead = [&](const Job& job) {
    return job.state == State::failed && (!older_than || *job.finished < *older_than);
  };
  const std::vector<JobId> found = search(
      is_dead, [](const Job& job) { return std::tuple(*job.finished, job.id); }, limit);
  for (const JobId id : found) drop(id);
  return found.size();
}

// --- time ---

void PlainModel::fire_due(std::size_t limit) {
  const auto is_behind = [&](const Job& job) {
    const bool waits_for_time = job.state == State::scheduled || job.state == State::retrying;
    const bool begins_anew = flaw != Flaw::wait_is_not_begun_anew;
    return waits_for_time && job.waits_for_span && begins_anew && since(job) > now + std::chrono::seconds{1};
  };
  const auto newest_first = [&](const Job& job) { return std::tuple(-since(job).time_since_epoch().count(), ~job.id); };
  for (const JobId id : search(is_behind, newest_first, limit)) {
    Job& job = jobs.at(id);
    job.due = now + (job.due - since(job));
    job.enqueued = std::min(job.enqueued, now);
    if (job.started) job.started = std::min(*job.started, now);
    say(job, EventType::changed, kAnyText);
  }
  const auto is_too_late = [&](const Job& job) { return may_expire(job) && *job.expires <= now; };
  for (const JobId id : search(
           is_too_late, [](const Job& job) { return std::tuple(*job.expires, job.id); }, limit)) {
    end(jobs.at(id), State::expired, EventType::expired, kAnyText);
  }
  const auto is_due = [&](const Job& job) {
    return (job.state == State::scheduled || job.state == State::retrying) && job.due <= now;
  };
  for (const JobId id : search(
           is_due, [](const Job& job) { return std::tuple(job.due, job.id); }, limit)) {
    jobs.at(id).state = State::ready;
    say(jobs.at(id), EventType::due);
  }
}

std::size_t PlainModel::collect(std::size_t limit) {
  const auto is_old = [&](const Job& job) { return is_final(job.state) && job.keep_until <= now; };
  const std::vector<JobId> old = search(
      is_old, [](const Job& job) { return std::tuple(job.keep_until, job.id); }, limit);
  for (const JobId id : old) drop(id);
  return old.size();
}

bool PlainModel::forget_events(EventSeq first_kept, std::size_t limit) {
  const auto is_old = [&](const Event& event) { return event.time < now - keep_events; };
  std::size_t must_go = 0;
  while (must_go < std::min(limit, log.size()) && is_old(log[must_go])) ++must_go;
  // What stands before an old event is old, whatever the clock said.
  std::size_t may_go = 0;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (is_old(log[i])) may_go = i + 1;
  }
  std::size_t gone = 0;
  while (gone < log.size() && log[gone].seq < first_kept) ++gone;
  log.erase(log.begin(), log.begin() + static_cast<std::ptrdiff_t>(gone));
  return gone >= must_go && gone <= std::min(may_go, limit);
}

}  // namespace tq::engine
