// tq::TaskQueue: one store, opened. Add jobs, look at them, wait for them, steer them.
#pragma once

#include <tq/error.hpp>
#include <tq/types.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tq {

// How to open a store.
struct OpenOptions {
  bool create = true;                          // make the file if there is none; false: throw NotFound
  std::uint64_t quota_bytes = 0;               // enqueue throws QueueFull when the file would hold more; 0: none
  std::size_t max_blob_bytes = kMaxBlobBytes;  // of one payload, result or saved state
  std::uint64_t log_bytes_per_job = 8u << 20;  // of output kept per job: half as head, half as tail
  Duration keep_succeeded = std::chrono::hours{24 * 7};  // retention of final jobs, unless they say otherwise
  Duration keep_failed = std::chrono::hours{24 * 90};    // failed, cancelled and expired ones
  Duration keep_events = std::chrono::hours{24 * 30};
};

// A store, opened by this process.
//
// Thread-safe: every method may be called from any thread at any time. A process that opens the same file several times
// shares one environment underneath. After fork() a child must not use it; open it anew there.
//
// Every method that changes something returns after the change is durable: it survives kill -9 and a power cut. It either
// happens whole or throws and has changed nothing. Methods block for the time of a commit (one disk flush or two);
// those that wait say so. Reading methods never block writers and see one consistent state.
//
// All methods may throw StoreError (I/O, damage). What else they throw is said at each.
class TaskQueue {
 public:
  // Opens the store at `path`, or creates it; ":memory:" is a private one without a file, gone when the last handle is.
  // Throws NotFound (no file and create is false), Unsupported (not a store, newer, network file system), Damaged, IoError.
  explicit TaskQueue(const std::filesystem::path& path, OpenOptions options = {});
  // Closes the handle. No method may be running.
  ~TaskQueue();
  TaskQueue(TaskQueue&&) noexcept;
  TaskQueue& operator=(TaskQueue&&) noexcept;
  TaskQueue(const TaskQueue&) = delete;
  TaskQueue& operator=(const TaskQueue&) = delete;

  // The path that was given to the constructor.
  const std::filesystem::path& path() const;

  // --- add ---------------------------------------------------------------------------------------------------------

  // Adds one job for the task of that name and returns its id. Durable on return.
  // Throws InvalidArgument (a name, a duration, a size), QueueFull, DiskFull.
  JobId enqueue(std::string_view task, Payload payload, const EnqueueOptions& options = {});
  // Adds a command. The same as above otherwise.
  JobId enqueue(const Command& command, const EnqueueOptions& options = {});
  // Adds all jobs in one transaction, or none, and returns their ids: consecutive, in the order given.
  std::vector<JobId> enqueue_many(std::span<const JobSpec> jobs);
  // A typed task: `Job` has `static constexpr std::string_view kTask` and a cereal `serialize`. Needs <tq/typed.hpp>.
  template <class Job>
    requires requires { Job::kTask; }
  JobId enqueue(const Job& job, const EnqueueOptions& options = {});

  // --- look --------------------------------------------------------------------------------------------------------

  // The job as it is now, or nothing if there is none of that id.
  std::optional<JobInfo> get(JobId id) const;
  // Its payload, or nothing if there is no such job.
  std::optional<Payload> payload(JobId id) const;
  // The command of an `exec` job; nothing if there is no such job. Throws Conflict if it is another task's.
  std::optional<Command> command(JobId id) const;
  // The outcome with the result's bytes; nothing while the job is not final. Throws NotFound if there is no such job.
  std::optional<Result> result(JobId id) const;
  // What the handler saved last with Context::save; nothing if it never did.
  std::optional<std::string> saved(JobId id) const;
  // Jobs, newest first. The cost is that of what is looked through: with only `limit`, or with a state that is rare,
  // that is the jobs returned and no more. Throws NotFound if the queue that is named does not exist.
  std::vector<JobInfo> list(const JobFilter& filter = {}) const;
  // Its output from number `after` on (exclusive), oldest first, at most about `max_bytes`.
  std::vector<LogChunk> log(JobId id, std::uint64_t after = 0, std::size_t max_bytes = 1u << 20) const;
  // Every reason why the job is not running now; empty if it is about to. Throws NotFound.
  std::vector<Reason> why(JobId id) const;
  // The event log, oldest first.
  std::vector<Event> events(const EventFilter& filter = {}) const;
  // All queues by name.
  std::vector<QueueInfo> queues() const;
  // One queue, or nothing if there is none of that name.
  std::optional<QueueInfo> queue(std::string_view name) const;
  // All workers that are registered.
  std::vector<WorkerInfo> workers() const;
  Stats stats() const;
  // Looks at every record, every index entry and every counter (deep: also at every page of output and every side file).
  CheckReport check(bool deep = false) const;

  // --- wait --------------------------------------------------------------------------------------------------------

  // Sleeps until the job is final and returns its outcome; nothing after `timeout`. Does not poll.
  // Throws NotFound if there is no such job, or it is removed meanwhile.
  std::optional<Result> wait(JobId id, Duration timeout = Duration::max()) const;
  // Sleeps until there is an event with a number greater than `after`, and returns the newest number; `after` itself when
  // `timeout` passed.
  EventSeq wait_events(EventSeq after, Duration timeout = Duration::max()) const;
  // Sleeps until the job has output beyond `after` or is final; false after `timeout`.
  bool wait_log(JobId id, std::uint64_t after, Duration timeout = Duration::max()) const;

  // --- steer -------------------------------------------------------------------------------------------------------

  // A waiting job becomes `cancelled`; a running one is asked to stop, and killed after `grace` if it is a command.
  // `signal` is what a command gets first.
  CancelOutcome cancel(JobId id, std::string_view reason = {}, int signal = 15);
  // A final job becomes ready again under the same id; its attempts and crashes start anew. A retrying or scheduled one
  // becomes ready now. Throws NotFound; Conflict if it runs or is ready already.
  void retry(JobId id);
  // Forgets a final job with its payload, result, output and index entries. Throws NotFound; Conflict if it is not final.
  void remove(JobId id);
  // Changes a job that waits. Throws NotFound; Conflict if it runs or is final; InvalidArgument.
  void set(JobId id, const JobChange& change);
  // Nothing of a paused queue is claimed; what runs goes on; adding goes on. Creates the queue if it is new.
  void pause(std::string_view queue);
  // Ends a pause. Throws NotFound if there is no such queue.
  void resume(std::string_view queue);
  // Creates the queue if it is new. Throws InvalidArgument.
  void configure(std::string_view queue, const QueueSettings& settings);
  // Removes all jobs of the queue that wait (no state given) or that are in `state` (not running); returns how many.
  // A little in each of several transactions. Throws NotFound; Conflict for `running`.
  std::uint64_t purge(std::string_view queue, std::optional<State> state = {});
  // Removes failed jobs: those finished before `older_than`, or all; returns how many.
  std::uint64_t purge_dead(std::optional<Time> older_than = {});
  // Applies retention now: removes what has been kept long enough, and says how many jobs that were.
  std::uint64_t collect();

  // The machinery behind, for tq's own floors. Not part of the contract.
  class Impl;
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tq
