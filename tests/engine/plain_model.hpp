// What the engine ought to do, said as plainly as it can be: a map of jobs, and a search through all of them for every
// question. The simulation holds the engine against it.
#pragma once

#include "engine/finish.hpp"
#include "plain_output.hpp"

#include <tq/types.hpp>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tq::engine {

// A rule that the model has wrong on purpose, so that it can be seen that the simulation finds it.
enum class Flaw {
  none,
  snooze_uses_an_attempt,
  retry_keeps_crashes,
  pause_lets_the_first_go,
  deadline_counts_after_the_start,
  wait_is_not_begun_anew,
  worker_keeps_what_it_claimed_ahead,
};

class PlainModel {
 public:
  struct Job {
    JobId id = 0;
    State state{};
    std::string queue;
    std::string task;
    std::vector<std::string> labels;
    std::int32_t priority = 0;
    std::uint32_t run = 0;
    std::uint32_t attempt = 0;
    std::uint32_t max_retries = 0;
    std::uint32_t crashes = 0;
    Backoff backoff;
    Time enqueued{};
    Time due{};
    bool waits_for_span = false;
    std::optional<Time> expires;
    std::optional<Time> started;
    std::optional<Time> finished;
    Time keep_until{};
    std::optional<Duration> ttl;
    WorkerId worker = 0;
    bool ahead = false;  // its worker's, but not begun
    bool cancel_requested = false;
    std::string error;  // kAnyText: whatever the engine says
    std::string payload;
    std::string result;
    std::string saved;
    PlainOutput output;
    Duration timeout{};
    std::optional<int> exit_code;
    int signal = 0;  // of a cancel that was requested
  };
  struct Worker {
    std::uint32_t max_crashes = 0;
    std::uint32_t concurrency = 0;
    bool stopping = false;
    std::vector<std::string> queues;
    std::vector<std::string> tasks;
  };
  struct Queue {
    bool paused = false;
    std::uint64_t max_size = 0;
  };
  struct Claim {
    WorkerId worker = 0;
    std::vector<std::string> queues;
    std::vector<std::string> tasks;
    bool tasks_are_excluded = false;
    std::size_t limit = 0;
    std::size_t ahead = 0;
  };
  struct New {
    std::string task;
    std::string payload;
    EnqueueOptions options;
  };
  struct End {
    Outcome::Kind kind{};
    std::string text;  // result or error
    bool for_good = false;
    std::optional<Duration> delay;
    std::optional<int> exit_code;
    std::optional<Time> began;
    std::vector<New> follow_ups;
  };
  static constexpr const char* kAnyText = "*";

  Flaw flaw = Flaw::none;
  Time now{};
  Duration keep_succeeded{};
  Duration keep_failed{};
  Duration keep_events{};
  std::map<JobId, Job> jobs;
  std::map<std::string, Queue> queues;
  std::map<WorkerId, Worker> workers;
  std::deque<Event> log;  // oldest first; what retention has cut is gone
  Stats stats;
  JobId next_job = 1;
  JobId last_job = 0;  // the highest number that a job has got

  // Nothing: the queue is full.
  std::optional<JobId> add(const New& job);
  // All of them, or none: then it is empty.
  std::vector<JobId> add_many(const std::vector<New>& jobs);
  // It has its number, and is a job when it is taken in.
  JobId add_to_intake(const New& job);
  bool may_use_intake(const New& job) const;
  void take_in();

  WorkerId register_worker(const Worker& worker);
  void unregister_worker(WorkerId worker);
  void rescue(WorkerId worker, const std::string& cause, const std::set<JobId>& begun);
  std::vector<JobId> claim(const Claim& request);
  bool begin(const RunKey& key, Time when);
  bool crash(const RunKey& key, std::uint32_t max_crashes, const std::string& cause);
  bool finish(const RunKey& key, const End& end);
  bool progress(const RunKey& key, double fraction, const std::string& text);
  // The job, if this claim holds it.
  Job* held(const RunKey& key);

  CancelOutcome cancel(JobId id, const std::string& reason, int signal);
  // These return false where the engine refuses.
  bool retry(JobId id);
  bool remove(JobId id);
  bool change(JobId id, const JobChange& change);
  bool resume(const std::string& queue);
  void pause(const std::string& queue);
  void configure(const std::string& queue, std::uint64_t max_size);
  std::size_t purge(const std::string& queue, std::optional<State> state);
  std::size_t purge_dead(std::optional<Time> older_than, std::size_t limit);

  void fire_due(std::size_t limit);
  std::size_t collect(std::size_t limit);
  // After collect, which kept the events from this one on: was that right?
  bool forget_events(EventSeq first_kept, std::size_t limit);

  std::uint64_t count(const std::string& queue, const std::function<bool(State)>& wanted) const;
  std::vector<JobId> list(const JobFilter& filter) const;
  std::vector<EventSeq> events(const EventFilter& filter) const;
  // The codes of the reasons in a row.
  std::string why(JobId id, const std::function<bool(WorkerId)>& alive) const;
  bool has_ready(const std::vector<std::string>& queues) const;
  std::optional<Time> next_due() const;
  std::optional<Time> next_keep() const;
  std::vector<JobId> of_worker(WorkerId worker) const;
  static bool may_expire(const Job& job);
  // When it began to wait, or to do what it now waits after.
  static Time since(const Job& job) { return job.started.value_or(job.enqueued); }

 private:
  std::vector<Job> intake_;
  std::set<std::string> known_tasks_;
  WorkerId last_worker_ = 0;

  void say(Event event);
  void say(const Job& job, EventType type, const std::string& text = {}, WorkerId worker = 0);
  Queue& queue(const std::string& name);
  bool is_full(const std::string& name, std::uint64_t more = 1, std::uint64_t less = 0) const;
  void end(Job& job, State state, EventType type, const std::string& text, WorkerId worker = 0);
  static Job make(const New& job, Time now);
  JobId enter(Job job);
  void begin(Job& job, Time when);
  void give_back(Job& job);
  void crash(Job& job, std::uint32_t max_crashes, const std::string& cause);
  void wait(Job& job, Duration delay);
  void succeed(Job& job, const End& end);
  void fail(Job& job, const End& end);
  void drop(JobId id);
  std::size_t fair_share(const Claim& request, const std::set<std::string>& tasks) const;
  // The ids of those jobs that are `wanted`, by `order`, at most so many.
  template <class Wanted, class Order>
  std::vector<JobId> search(Wanted wanted, Order order, std::size_t limit) const;
};

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

}  // namespace tq::engine
