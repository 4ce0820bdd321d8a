// The nouns of tq as plain values: jobs, queues, workers, events, and the options they are made with.
//
// Everything here is a value: copyable, comparable where that makes sense, safe to hand from thread to thread. Times are
// UTC with milliseconds, durations are milliseconds. Text is UTF-8; payloads and results are bytes. What a caller fills in has
// an initializer for each field, so that naming some of them (`{.queue = "mail"}`) leaves no compiler with a warning.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tq {

// A point in time, UTC, milliseconds since 1970-01-01.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
// A span of time in milliseconds.
using Duration = std::chrono::milliseconds;

// A job's number: counted up from 1 per store, never reused. 0 is no job.
using JobId = std::uint64_t;
// A worker's number: counted up from 1 per store, never reused. 0 is no worker.
using WorkerId = std::uint64_t;
// An event's number: counted up from 1 per store, without gaps.
using EventSeq = std::uint64_t;

// What a job is doing. On disk: never renumber. Only the last four are final.
enum class State : std::uint8_t {
  blocked = 1,    // waits for other jobs
  scheduled = 2,  // waits for its time
  ready = 3,      // may be claimed
  running = 4,    // claimed by a living worker
  retrying = 5,   // failed, waits for its next attempt
  forwarded = 6,  // handed to another node
  succeeded = 7,  // done
  failed = 8,     // out of attempts: the dead-letter list
  cancelled = 9,  // somebody said stop
  expired = 10,   // its deadline to start passed
};
inline constexpr std::size_t kStateCount = 11;  // counting the unused 0: the length of a table indexed by State

// True for succeeded, failed, cancelled and expired: the job will not change by itself any more.
constexpr bool is_final(State state) { return state >= State::succeeded; }
// The state's name as the command line, JSON and the documents spell it.
std::string_view to_string(State state);
// The state of that name, or nothing.
std::optional<State> parse_state(std::string_view name);

// The built-in task that runs a command; its payload is a Command.
inline constexpr std::string_view kExecTask = "exec";
// The queue that is meant when none is named.
inline constexpr std::string_view kDefaultQueue = "default";

// Limits on input. Anything beyond is refused whole with InvalidArgument.
inline constexpr std::size_t kMaxNameBytes = 128;                 // a queue's, task's or label's name
inline constexpr std::size_t kMaxBlobBytes = 256u * 1024 * 1024;  // a payload, result or saved state, unless configured
inline constexpr std::size_t kMaxCommandBytes = 2u * 1024 * 1024;  // arguments and environment together
inline constexpr std::size_t kMaxErrorBytes = 4096;                // a stored error text; longer ones are cut
inline constexpr Duration kMaxDuration = std::chrono::hours{24 * 366 * 100};

// Bytes with the name of the codec that made them: "raw", "json", "cereal" (portable binary) or "command".
struct Payload {
  std::string codec = "raw";
  std::string bytes{};
  bool operator==(const Payload&) const = default;
};

// How long to wait before retry number n (n = 1 for the first): `base` each time, or base * 2^(n-1) up to `cap`.
// The wait is varied by up to `jitter` of itself either way, so that jobs that failed together do not return together.
struct Backoff {
  enum class Kind : std::uint8_t { constant = 1, exponential = 2 };  // On disk: never renumber.
  Kind kind = Kind::exponential;
  Duration base = std::chrono::seconds{1};
  Duration cap = std::chrono::hours{1};
  double jitter = 0.1;  // 0 to 1
  bool operator==(const Backoff&) const = default;
};

// How a job is to be run. The defaults are those of a task; for a command `max_retries` is 0.
struct EnqueueOptions {
  std::string queue = std::string(kDefaultQueue);
  std::int32_t priority = 0;                   // higher first
  std::optional<Duration> delay{};             // not before now + delay
  std::optional<Time> at{};                    // not before this time; not together with delay
  std::optional<std::uint32_t> max_retries{};  // nothing: 3 for a task, 0 for a command
  Backoff backoff{};
  Duration timeout{0};                   // of one attempt; 0: none
  std::optional<Duration> expires_in{};  // start before now + this, or become `expired`
  std::optional<Time> expires_at{};      // the same as a time; not together with expires_in
  std::optional<Duration> result_ttl{};  // keep the final job this long; nothing: the store's retention
  std::vector<std::string> labels{};
};

// One job to be enqueued, for enqueue_many.
struct JobSpec {
  std::string task{};
  Payload payload{};
  EnqueueOptions options{};
};

// A command to be run without a shell. `argv[0]` is looked up in the PATH of `env`.
struct Command {
  std::vector<std::string> argv{};
  std::vector<std::pair<std::string, std::string>> env{};  // the whole environment, but for the TQ_ variables
  std::string cwd{};                                       // absolute
  std::string stdin_data{};                                // fed to its standard input; empty: /dev/null
  bool operator==(const Command&) const = default;
};

// What became of a job, with the bytes its handler returned.
struct Result {
  State state{};                 // final
  Payload value;                 // of a succeeded job; else empty
  std::string error;             // why it did not succeed; empty if it did
  std::optional<int> exit_code;  // of a command: its exit status, or 128 + the signal that ended it
};

// A job as it is now: a snapshot, copied out of the store.
struct JobInfo {
  JobId id = 0;
  State state{};
  std::string queue;
  std::string task;
  std::int32_t priority = 0;
  std::uint32_t attempt = 0;      // attempts counted so far; while running, the number of this one
  std::uint32_t max_retries = 0;  // at most 1 + max_retries attempts
  std::uint32_t crashes = 0;      // how often a worker died with it
  Time enqueued{};
  std::optional<Time> due;       // when it became, or will become, ready
  std::optional<Time> started;   // of the last attempt
  std::optional<Time> finished;  // when it became final
  std::optional<Time> expires;   // the deadline to start
  Duration timeout{0};
  Backoff backoff;
  std::optional<Duration> result_ttl;
  std::vector<std::string> labels;
  WorkerId worker = 0;            // that runs it, or ran it last
  bool cancel_requested = false;  // its attempt has been asked to stop
  std::optional<int> exit_code;   // of a command
  std::string error;              // of the last failed attempt
  std::string codec;              // of the payload
  std::uint64_t payload_bytes = 0;
  std::uint64_t result_bytes = 0;
  std::uint64_t log_bytes = 0;          // of output kept
  std::uint64_t log_dropped_bytes = 0;  // of output dropped between head and tail
};

// What `list` looks for. Empty fields mean any. Newest first.
struct JobFilter {
  std::vector<State> states{};
  std::string queue{};
  std::string task{};
  std::string label{};
  JobId before = 0;         // only ids below this one; 0: from the newest
  std::size_t limit = 100;  // at most this many
};

// A change to a waiting job. Empty fields stay as they are.
struct JobChange {
  std::optional<std::string> queue{};
  std::optional<std::int32_t> priority{};
  std::optional<Time> at{};
  std::optional<std::vector<std::string>> labels{};
};

// What was done about a cancel.
enum class CancelOutcome {
  no_such_job,
  cancelled,  // it had not started, and will not
  requested,  // it runs: its stop token is set, or its command gets TERM, a grace, then KILL
  already_final,
};

// What a queue may be told.
struct QueueSettings {
  std::uint64_t max_size = 0;  // jobs that are not final; 0: no limit
};

// A queue with its counters. `count[state]` is the number of its jobs in that state, exact in this snapshot.
struct QueueInfo {
  std::string name;
  bool paused = false;
  QueueSettings settings;
  std::uint64_t count[kStateCount] = {};
  std::uint64_t operator[](State state) const { return count[static_cast<std::size_t>(state)]; }
  std::uint64_t waiting() const {
    return (*this)[State::blocked] + (*this)[State::scheduled] + (*this)[State::ready] + (*this)[State::retrying];
  }
  std::uint64_t unfinished() const { return waiting() + (*this)[State::running] + (*this)[State::forwarded]; }
};

// A worker that is registered in the store.
struct WorkerInfo {
  WorkerId id = 0;
  std::int64_t pid = 0;
  std::string host;
  Time started{};
  std::uint32_t concurrency = 0;
  std::vector<std::string> queues;  // empty: all
  std::vector<std::string> tasks;   // that it has handlers for
  bool alive = false;               // it holds its lock
  bool stopping = false;            // it finishes what runs and claims nothing
};

// What happened. On disk: never renumber.
enum class EventType : std::uint8_t {
  enqueued = 1,
  started = 2,
  progress = 3,
  retrying = 4,
  succeeded = 5,
  failed = 6,
  cancelled = 7,
  expired = 8,
  crashed = 9,       // its worker died; the job is ready again, or failed
  interrupted = 10,  // its worker was stopped; costs no attempt
  snoozed = 11,
  cancel_requested = 12,
  retried = 13,  // a final job was sent round again by hand
  changed = 14,  // queue, priority, time or labels
  due = 15,      // its time came
  removed = 16,
  queue_created = 17,
  queue_paused = 18,
  queue_resumed = 19,
  queue_changed = 20,
  worker_started = 21,
  worker_stopped = 22,
  worker_died = 23,
  lost = 24,  // an event was damaged, and set aside by a repair
};
std::string_view to_string(EventType type);
std::optional<EventType> parse_event_type(std::string_view name);

// One line of the event log.
struct Event {
  EventSeq seq = 0;
  Time time{};
  EventType type{};
  JobId job = 0;  // 0: not about a job
  std::uint32_t attempt = 0;
  WorkerId worker = 0;
  std::string queue;    // empty: not about a queue
  double fraction = 0;  // of a progress event, 0 to 1
  std::string text;     // the error, the reason, the progress text
};

// What `events` looks for. Oldest first.
struct EventFilter {
  EventSeq after = 0;              // only events with a greater number
  std::optional<Time> since{};     // only events at or after this time
  JobId job = 0;                   // only of this job; 0: all
  std::vector<EventType> types{};  // empty: all
  std::size_t limit = 1000;
};

// Where output came from.
enum class Stream : std::uint8_t { out = 1, err = 2, note = 3 };  // note: written by tq or Context::log

// A piece of a job's output, in the order in which it came.
struct LogChunk {
  std::uint64_t seq = 0;  // counted up per job
  Time time{};
  std::uint32_t attempt = 0;
  Stream stream{};
  std::string bytes;
};

// A reason why a job is not running.
struct Reason {
  std::string code;  // "paused", "time", "behind", "no_worker", "task", "final", "running", ...
  std::string text;  // one sentence with the number or time behind it
};

// The whole store in numbers.
struct Stats {
  std::uint64_t count[kStateCount] = {};                                // over all queues
  std::uint64_t enqueued = 0;                                           // ever
  std::uint64_t attempts = 0;                                           // ever started
  std::uint64_t succeeded = 0, failed = 0, cancelled = 0, expired = 0;  // ever
  std::uint64_t crashes = 0;                                            // ever
  std::uint64_t file_bytes = 0;                                         // of jobs.tq, without its side files
  std::uint64_t used_bytes = 0;                                         // of those, in use
  EventSeq last_event = 0;
  std::size_t queues = 0;
  std::size_t workers = 0;  // alive
};

// What `check` found. Empty problems: every invariant holds.
struct CheckReport {
  std::vector<std::string> problems;  // one sentence each, at most 1,000
  std::uint64_t records = 0;          // looked at
};

}  // namespace tq
