#include "plain_model.hpp"

#include "model/retry.hpp"

#include <algorithm>
#include <tuple>

namespace tq::engine {
namespace {

using Kind = Outcome::Kind;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool waits(State state) {
  return state == State::blocked || state == State::scheduled || state == State::ready || state == State::retrying;
}

}  // namespace

template <class Wanted, class Order>
std::vector<JobId> PlainModel::search(Wanted wanted, Order order, std::size_t limit) const {
  std::vector<const Job*> found;
  for (const auto& [id, job] : jobs) {
    if (wanted(job)) found.push_back(&job);
  }
  std::stable_sort(found.begin(), found.end(), [&](const Job* a, const Job* b) { return order(*a) < order(*b); });
  if (found.size() > limit) found.resize(limit);
  std::vector<JobId> ids;
  for (const Job* job : found) ids.push_back(job->id);
  return ids;
}

// --- what all share ---

void PlainModel::say(Event event) {
  event.seq = ++stats.last_event;
  event.time = now;
  log.push_back(std::move(event));
}

void PlainModel::say(const Job& job, EventType type, const std::string& text, WorkerId worker) {
  say({.type = type, .job = job.id, .attempt = job.attempt, .worker = worker, .queue = job.queue, .text = text});
}

PlainModel::Queue& PlainModel::queue(const std::string& name) {
  const auto [place, is_new] = queues.try_emplace(name);
  if (is_new) say({.type = EventType::queue_created, .queue = name});
  return place->second;
}

std::uint64_t PlainModel::count(const std::string& queue, const std::function<bool(State)>& wanted) const {
  const auto is_counted = [&](const auto& entry) { return entry.second.queue == queue && wanted(entry.second.state); };
  return static_cast<std::uint64_t>(std::count_if(jobs.begin(), jobs.end(), is_counted));
}

bool PlainModel::is_full(const std::string& name, std::uint64_t more, std::uint64_t less) const {
  const auto known = queues.find(name);
  if (known == queues.end() || known->second.max_size == 0) return false;
  return count(name, [](State state) { return !is_final(state); }) - less + more > known->second.max_size;
}

void PlainModel::end(Job& job, State state, EventType type, const std::string& text, WorkerId worker) {
  say(job, type, text, worker);
  job.state = state;
  job.finished = now;
  job.cancel_requested = false;
  job.ahead = false;
  job.keep_until = now + job.ttl.value_or(state == State::succeeded ? keep_succeeded : keep_failed);
  if (state == State::succeeded) ++stats.succeeded;
  if (state == State::failed) ++stats.failed;
  if (state == State::cancelled) ++stats.cancelled;
  if (state == State::expired) ++stats.expired;
}

void PlainModel::drop(JobId id) {
  say({.type = EventType::removed, .job = id, .queue = jobs.at(id).queue});
  jobs.erase(id);
}

// --- producers ---

std::optional<JobId> PlainModel::add(const std::string& task, const std::string& payload,
                                     const EnqueueOptions& options) {
  if (is_full(options.queue)) return std::nullopt;
  queue(options.queue);
  known_tasks_.insert(task);
  Job job;
  job.id = ++stats.enqueued;
  const Duration delay = options.delay.value_or(Duration::zero());
  job.state = delay > Duration::zero() ? State::scheduled : State::ready;
  job.queue = options.queue;
  job.task = task;
  job.labels = options.labels;
  job.priority = options.priority;
  job.max_retries = options.max_retries.value_or(3);
  job.backoff = options.backoff;
  job.enqueued = now;
  job.due = now + delay;
  job.waits_for_span = options.delay.has_value();
  if (options.expires_in) job.expires = now + *options.expires_in;
  job.ttl = options.result_ttl;
  job.payload = payload;
  say(job, EventType::enqueued);
  jobs.emplace(job.id, job);
  return job.id;
}

// --- workers ---

WorkerId PlainModel::register_worker(std::uint32_t max_crashes) {
  const WorkerId id = ++last_worker_;
  workers.emplace(id, max_crashes);
  say({.type = EventType::worker_started, .worker = id});
  return id;
}

std::vector<JobId> PlainModel::of_worker(WorkerId worker) const {
  const auto is_its = [&](const Job& job) { return job.state == State::running && job.worker == worker; };
  return search(
      is_its, [](const Job& job) { return job.id; }, SIZE_MAX);
}

void PlainModel::unregister_worker(WorkerId worker) {
  for (const JobId id : of_worker(worker)) {
    finish({id, jobs.at(id).run, worker}, {.kind = Kind::interrupted, .text = "its worker stopped"});
  }
  workers.erase(worker);
  say({.type = EventType::worker_stopped, .worker = worker});
}

void PlainModel::rescue(WorkerId worker, const std::string& cause, const std::set<JobId>& begun) {
  for (const JobId id : of_worker(worker)) {
    Job& job = jobs.at(id);
    if (job.ahead && !begun.contains(id)) {
      give_back(job);
      continue;
    }
    if (job.ahead) begin(job);
    crash(job, workers.at(worker), cause);
  }
  workers.erase(worker);
  say({.type = EventType::worker_died, .worker = worker, .text = cause});
}

void PlainModel::crash(Job& job, std::uint32_t max_crashes, const std::string& cause) {
  ++job.crashes;
  ++stats.crashes;
  if (job.cancel_requested) return end(job, State::cancelled, EventType::cancelled, job.error, job.worker);
  if (job.crashes >= max_crashes) {
    job.error = kAnyText;
    return end(job, State::failed, EventType::failed, kAnyText, job.worker);
  }
  say(job, EventType::crashed, cause, job.worker);
  job.error = cause;
  job.state = State::ready;
  --job.attempt;
}

// What is ready beyond `limit` is for all workers alike.
std::size_t PlainModel::fair_share(const Claim& request, const std::set<std::string>& tasks) const {
  std::uint64_t ready = 0;
  for (const auto& [name, queue] : queues) {
    const bool is_asked = request.queues.empty() || contains(request.queues, name);
    if (!is_asked || queue.paused || tasks.empty()) continue;
    ready += count(name, [](State state) { return state == State::ready; });
  }
  return ready <= request.limit ? 0 : std::min<std::size_t>(request.ahead, (ready - request.limit) / workers.size());
}

std::vector<JobId> PlainModel::claim(const Claim& request) {
  if (!workers.contains(request.worker)) return {};
  std::set<std::string> tasks;
  for (const std::string& task : known_tasks_) {
    if (contains(request.tasks, task) != request.tasks_are_excluded) tasks.insert(task);
  }
  const std::size_t most = request.limit + fair_share(request, tasks);
  const auto rank = [&](const Job& job) {  // of its queue in the request
    return std::find(request.queues.begin(), request.queues.end(), job.queue) - request.queues.begin();
  };
  const auto is_asked_for = [&](const Job& job) {
    const bool in_queue = request.queues.empty() || contains(request.queues, job.queue);
    return job.state == State::ready && tasks.contains(job.task) && in_queue && !queues.at(job.queue).paused;
  };
  const auto order = [&](const Job& job) {
    return std::tuple(rank(job), -std::int64_t{job.priority}, job.due, job.id);
  };
  std::vector<JobId> claimed;
  for (const JobId id : search(is_asked_for, order, SIZE_MAX)) {
    if (claimed.size() == most) break;
    Job& job = jobs.at(id);
    if (job.expires && *job.expires <= now && !job.started) {
      end(job, State::expired, EventType::expired, kAnyText);
      continue;
    }
    if (claimed.size() >= request.limit && job.expires && !job.started) break;
    job.state = State::running;
    job.worker = request.worker;
    ++job.run;
    job.ahead = true;
    if (claimed.size() < request.limit) begin(job);
    claimed.push_back(id);
  }
  return claimed;
}

PlainModel::Job* PlainModel::held(const RunKey& key) {
  const auto known = jobs.find(key.job);
  if (known == jobs.end() || known->second.state != State::running) return nullptr;
  return known->second.run == key.run && known->second.worker == key.worker ? &known->second : nullptr;
}

void PlainModel::begin(Job& job) {
  job.ahead = false;
  job.started = now;
  ++job.attempt;
  ++stats.attempts;
  say(job, EventType::started, {}, job.worker);
}

bool PlainModel::begin(const RunKey& key) {
  Job* const job = held(key);
  if (job == nullptr || !job->ahead) return false;
  begin(*job);
  return true;
}

void PlainModel::give_back(Job& job) {
  job.ahead = false;
  if (job.cancel_requested) return end(job, State::cancelled, EventType::cancelled, job.error, job.worker);
  job.state = State::ready;
}

bool PlainModel::progress(const RunKey& key, const std::string& text) {
  Job* const job = held(key);
  if (job != nullptr) say(*job, EventType::progress, text, job->worker);
  return job != nullptr;
}

bool PlainModel::finish(const RunKey& key, const End& given) {
  Job* const job = held(key);
  if (job == nullptr) return false;
  if (job->ahead && given.kind == Kind::interrupted) return give_back(*job), true;
  if (job->ahead) begin(*job);
  End end = given;
  for (const Follow& follow : given.follow_ups) {
    const auto is_beside = [&](const Follow& other) { return other.options.queue == follow.options.queue; };
    const auto beside = std::count_if(given.follow_ups.begin(), given.follow_ups.end(), is_beside);
    const bool too_many =
        is_full(follow.options.queue, static_cast<std::uint64_t>(beside), follow.options.queue == job->queue ? 1 : 0);
    if (given.kind == Kind::succeeded && too_many) end = {.kind = Kind::failed, .text = kAnyText};
  }
  if (end.kind == Kind::succeeded) return succeed(*job, end), true;
  if (end.kind == Kind::cancelled) job->error = end.text;
  if (end.kind == Kind::cancelled || job->cancel_requested) {
    this->end(*job, State::cancelled, EventType::cancelled, job->error, job->worker);
  } else if (end.kind == Kind::failed) {
    fail(*job, end);
  } else {
    const bool snoozes = end.kind == Kind::snoozed;
    say(*job, snoozes ? EventType::snoozed : EventType::interrupted, snoozes ? "" : end.text, job->worker);
    --job->attempt;
    const Duration delay = snoozes ? end.delay.value_or(Duration::zero()) : Duration::zero();
    job->state = delay > Duration::zero() ? State::scheduled : State::ready;
    if (delay > Duration::zero()) wait(*job, delay);
  }
  return true;
}

void PlainModel::wait(Job& job, Duration delay) {
  job.due = now + delay;
  job.started = std::min(*job.started, now);
  job.waits_for_span = true;
}

void PlainModel::succeed(Job& job, const End& end) {
  job.error.clear();
  job.result = end.text;
  this->end(job, State::succeeded, EventType::succeeded, {}, job.worker);
  for (const Follow& follow : end.follow_ups) add(follow.task, {}, follow.options);
}

void PlainModel::fail(Job& job, const End& end) {
  job.error = end.text;
  if (end.for_good || job.attempt > job.max_retries) {
    return this->end(job, State::failed, EventType::failed, end.text, job.worker);
  }
  say(job, EventType::retrying, end.text, job.worker);
  job.state = State::retrying;
  const Duration policy = model::retry_delay(job.backoff, job.attempt, model::retry_seed(job.id, job.attempt));
  wait(job, end.delay.value_or(policy));
}

// --- steering ---

CancelOutcome PlainModel::cancel(JobId id, const std::string& reason) {
  const auto known = jobs.find(id);
  if (known == jobs.end()) return CancelOutcome::no_such_job;
  Job& job = known->second;
  if (is_final(job.state)) return CancelOutcome::already_final;
  job.error = reason;
  if (job.state == State::running) {
    job.cancel_requested = true;
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
    job.attempt = job.crashes = 0;
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

std::size_t PlainModel::purge_dead(Time older_than, std::size_t limit) {
  const auto is_dead = [&](const Job& job) { return job.state == State::failed && *job.finished < older_than; };
  const std::vector<JobId> found = search(
      is_dead, [](const Job& job) { return std::tuple(*job.finished, job.id); }, limit);
  for (const JobId id : found) drop(id);
  return found.size();
}

// --- time ---

void PlainModel::fire_due(std::size_t limit) {
  const auto since = [](const Job& job) { return job.started.value_or(job.enqueued); };
  const auto is_behind = [&](const Job& job) {
    const bool waits_for_time = job.state == State::scheduled || job.state == State::retrying;
    return waits_for_time && job.waits_for_span && since(job) > now + std::chrono::seconds{1};
  };
  const auto newest_first = [&](const Job& job) { return std::tuple(-since(job).time_since_epoch().count(), ~job.id); };
  for (const JobId id : search(is_behind, newest_first, limit)) {
    Job& job = jobs.at(id);
    job.due = now + (job.due - since(job));
    job.enqueued = std::min(job.enqueued, now);
    if (job.started) job.started = std::min(*job.started, now);
    say(job, EventType::changed, kAnyText);
  }
  const auto is_too_late = [&](const Job& job) {
    return waits(job.state) && !job.started && job.expires && *job.expires <= now;
  };
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

// --- looking ---

std::vector<JobId> PlainModel::list(const JobFilter& filter) const {
  const auto is_listed = [&](const Job& job) {
    const bool in_state = std::find(filter.states.begin(), filter.states.end(), job.state) != filter.states.end();
    return (filter.states.empty() || in_state) && (filter.queue.empty() || filter.queue == job.queue) &&
           (filter.task.empty() || filter.task == job.task) &&
           (filter.label.empty() || contains(job.labels, filter.label)) &&
           (filter.before == 0 || job.id < filter.before);
  };
  return search(
      is_listed, [](const Job& job) { return ~job.id; }, filter.limit);
}

}  // namespace tq::engine
