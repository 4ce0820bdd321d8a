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

}  // namespace

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

PlainModel::Job PlainModel::make(const New& given, Time now) {
  const EnqueueOptions& options = given.options;
  Job job;
  job.due = std::max(options.at.value_or(now), now) + options.delay.value_or(Duration::zero());
  job.state = job.due > now ? State::scheduled : State::ready;
  job.queue = options.queue;
  job.task = given.task;
  job.labels = options.labels;
  job.priority = options.priority;
  job.max_retries = options.max_retries.value_or(3);
  job.backoff = options.backoff;
  job.timeout = options.timeout;
  job.enqueued = now;
  job.waits_for_span = options.delay.has_value();
  job.expires = options.expires_at;
  if (options.expires_in) job.expires = now + *options.expires_in;
  job.ttl = options.result_ttl;
  job.payload = given.payload;
  return job;
}

JobId PlainModel::enter(Job job) {
  ++stats.enqueued;
  known_tasks_.insert(job.task);
  Event event{.time = job.enqueued, .type = EventType::enqueued, .job = job.id, .queue = job.queue};
  event.seq = ++stats.last_event;
  log.push_back(std::move(event));
  return jobs.emplace(job.id, std::move(job)).first->first;
}

std::optional<JobId> PlainModel::add(const New& given) {
  if (is_full(given.options.queue)) return std::nullopt;
  queue(given.options.queue);
  Job job = make(given, now);
  job.id = last_job = next_job++;
  return enter(std::move(job));
}

std::vector<JobId> PlainModel::add_many(const std::vector<New>& given) {
  std::map<std::string, std::uint64_t> wanted;
  for (const New& job : given) ++wanted[job.options.queue];
  for (const auto& [name, count] : wanted) {
    if (is_full(name, count)) return {};
  }
  std::vector<JobId> ids;
  for (const New& job : given) ids.push_back(*add(job));
  return ids;
}

bool PlainModel::may_use_intake(const New& job) const {
  const auto known = queues.find(job.options.queue);
  const bool has_queue = known != queues.end() && known->second.max_size == 0;
  return has_queue && known_tasks_.contains(job.task) && job.payload.size() < 65'536;
}

JobId PlainModel::add_to_intake(const New& given) {
  intake_.push_back(make(given, now));
  return intake_.back().id = last_job = next_job++;
}

void PlainModel::take_in() {
  for (Job& job : intake_) enter(std::move(job));
  intake_.clear();
}

// --- workers ---

WorkerId PlainModel::register_worker(const Worker& worker) {
  const WorkerId id = ++last_worker_;
  workers.emplace(id, worker);
  say({.type = EventType::worker_started, .worker = id});
  return id;
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
      if (flaw != Flaw::worker_keeps_what_it_claimed_ahead) give_back(job);
      continue;
    }
    crash(job, workers.at(worker).max_crashes, cause);
  }
  workers.erase(worker);
  say({.type = EventType::worker_died, .worker = worker, .text = cause});
}

bool PlainModel::crash(const RunKey& key, std::uint32_t max_crashes, const std::string& cause) {
  Job* const job = held(key);
  if (job != nullptr) crash(*job, max_crashes, cause);
  return job != nullptr;
}

void PlainModel::crash(Job& job, std::uint32_t max_crashes, const std::string& cause) {
  if (job.ahead) begin(job, now);
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
    const bool is_paused = queues.at(job.queue).paused && flaw != Flaw::pause_lets_the_first_go;
    return job.state == State::ready && tasks.contains(job.task) && in_queue && !is_paused;
  };
  const auto order = [&](const Job& job) {
    return std::tuple(rank(job), -std::int64_t{job.priority}, job.due, job.id);
  };
  std::vector<JobId> claimed;
  for (const JobId id : search(is_asked_for, order, SIZE_MAX)) {
    if (claimed.size() == most) break;
    Job& job = jobs.at(id);
    const bool may_expire = !job.started || flaw == Flaw::deadline_counts_after_the_start;
    if (job.expires && *job.expires <= now && may_expire) {
      end(job, State::expired, EventType::expired, kAnyText);
      continue;
    }
    if (claimed.size() >= request.limit && job.expires && !job.started) break;
    job.state = State::running;
    job.worker = request.worker;
    ++job.run;
    job.ahead = true;
    if (claimed.size() < request.limit) begin(job, now);
    claimed.push_back(id);
  }
  return claimed;
}

PlainModel::Job* PlainModel::held(const RunKey& key) {
  const auto known = jobs.find(key.job);
  if (known == jobs.end() || known->second.state != State::running) return nullptr;
  return known->second.run == key.run && known->second.worker == key.worker ? &known->second : nullptr;
}

void PlainModel::begin(Job& job, Time when) {
  job.ahead = false;
  job.started = when;
  job.exit_code.reset();
  ++job.attempt;
  ++stats.attempts;
  say(job, EventType::started, {}, job.worker);
}

bool PlainModel::begin(const RunKey& key, Time when) {
  Job* const job = held(key);
  if (job == nullptr || !job->ahead) return false;
  begin(*job, when);
  return true;
}

void PlainModel::give_back(Job& job) {
  job.ahead = false;
  if (job.cancel_requested) return end(job, State::cancelled, EventType::cancelled, job.error, job.worker);
  job.state = State::ready;
}

bool PlainModel::progress(const RunKey& key, double fraction, const std::string& text) {
  Job* const job = held(key);
  if (job == nullptr) return false;
  say(*job, EventType::progress, text, job->worker);
  log.back().fraction = fraction;
  return true;
}

bool PlainModel::finish(const RunKey& key, const End& given) {
  Job* const job = held(key);
  if (job == nullptr) return false;
  if (job->ahead && given.kind == Kind::interrupted && !given.began) return give_back(*job), true;
  if (job->ahead) begin(*job, given.began.value_or(now));
  job->exit_code = given.exit_code;
  End end = given;
  for (const New& follow : given.follow_ups) {
    const auto is_beside = [&](const New& other) { return other.options.queue == follow.options.queue; };
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
    if (!snoozes || flaw != Flaw::snooze_uses_an_attempt) --job->attempt;
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
  for (const New& follow : end.follow_ups) add(follow);
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

}  // namespace tq::engine
