// What the engine ought to do, said as plainly as it can be: a map of jobs, and a search through all of them for every
// question. The simulation holds the engine against it.
#pragma once

#include "engine/finish.hpp"

#include <tq/types.hpp>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tq::engine {

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
    std::uint64_t output_bytes = 0;  // ever written
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
  struct Follow {
    std::string task;
    EnqueueOptions options;
  };
  struct End {
    Outcome::Kind kind{};
    std::string text;  // result or error
    bool for_good = false;
    std::optional<Duration> delay;
    std::vector<Follow> follow_ups;
  };
  static constexpr const char* kAnyText = "*";

  Time now{};
  Duration keep_succeeded{};
  Duration keep_failed{};
  Duration keep_events{};
  std::map<JobId, Job> jobs;
  std::map<std::string, Queue> queues;
  std::map<WorkerId, std::uint32_t> workers;  // with their max_crashes
  std::vector<Event> log;                     // oldest first; what retention has cut is gone
  Stats stats;

  // Nothing: the queue is full.
  std::optional<JobId> add(const std::string& task, const std::string& payload, const EnqueueOptions& options);
  WorkerId register_worker(std::uint32_t max_crashes);
  void unregister_worker(WorkerId worker);
  void rescue(WorkerId worker, const std::string& cause, const std::set<JobId>& begun);
  std::vector<JobId> claim(const Claim& request);
  bool begin(const RunKey& key);
  bool finish(const RunKey& key, const End& end);
  bool progress(const RunKey& key, const std::string& text);
  // The job, if this claim holds it.
  Job* held(const RunKey& key);

  CancelOutcome cancel(JobId id, const std::string& reason);
  // These return false where the engine refuses.
  bool retry(JobId id);
  bool remove(JobId id);
  bool change(JobId id, const JobChange& change);
  bool resume(const std::string& queue);
  void pause(const std::string& queue);
  void configure(const std::string& queue, std::uint64_t max_size);
  std::size_t purge(const std::string& queue, std::optional<State> state);
  std::size_t purge_dead(Time older_than, std::size_t limit);

  void fire_due(std::size_t limit);
  std::size_t collect(std::size_t limit);
  // After collect, which kept the events from this one on: was that right?
  bool forget_events(EventSeq first_kept, std::size_t limit);

  std::uint64_t count(const std::string& queue, const std::function<bool(State)>& wanted) const;
  std::vector<JobId> list(const JobFilter& filter) const;

 private:
  std::set<std::string> known_tasks_;
  WorkerId last_worker_ = 0;

  void say(Event event);
  void say(const Job& job, EventType type, const std::string& text = {}, WorkerId worker = 0);
  Queue& queue(const std::string& name);
  bool is_full(const std::string& name, std::uint64_t more = 1, std::uint64_t less = 0) const;
  void end(Job& job, State state, EventType type, const std::string& text, WorkerId worker = 0);
  void begin(Job& job);
  void give_back(Job& job);
  void crash(Job& job, std::uint32_t max_crashes, const std::string& cause);
  void wait(Job& job, Duration delay);
  void succeed(Job& job, const End& end);
  void fail(Job& job, const End& end);
  void drop(JobId id);
  std::size_t fair_share(const Claim& request, const std::set<std::string>& tasks) const;
  std::vector<JobId> of_worker(WorkerId worker) const;
  // The ids of those jobs that are `wanted`, by `order`, at most so many.
  template <class Wanted, class Order>
  std::vector<JobId> search(Wanted wanted, Order order, std::size_t limit) const;
};

}  // namespace tq::engine
