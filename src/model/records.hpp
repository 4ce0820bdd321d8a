// The small records: queues, workers, events, output, totals. Each begins with its version (1 byte). Workers are written by
// cereal; the others are hot, and are fixed little-endian fields in the order of the struct with the one text at the end.
#pragma once

#include <tq/types.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace tq::model {

// A queue with its counters: fixed fields, then the name.
struct QueueRecord {
  std::string name;
  bool paused = false;
  std::uint64_t max_size = 0;                      // 0: no limit
  std::array<std::uint64_t, kStateCount> count{};  // jobs by state
  std::uint64_t unfinished() const;                // jobs that are not final
  bool operator==(const QueueRecord&) const = default;
};

struct WorkerRecord {
  std::int64_t pid = 0;
  std::uint64_t pid_started = 0;  // field 22 of /proc/PID/stat: tells a reused number
  std::int64_t guard_pid = 0;     // 0: it runs no commands
  std::string token{};            // in the environment of every command it starts
  std::string host{};
  std::int64_t started_ms = 0;
  std::uint32_t concurrency = 0;
  std::uint32_t max_crashes = 0;
  bool stopping = false;
  std::vector<std::string> queues{};
  std::vector<std::string> tasks{};
  bool operator==(const WorkerRecord&) const = default;
};

// One line of the log: fixed fields, then the text.
struct EventRecord {
  std::int64_t time_ms = 0;
  EventType type{};
  std::uint32_t attempt = 0;
  std::uint32_t queue = 0;  // number in the catalogue; 0: none
  std::uint64_t job = 0;
  std::uint64_t worker = 0;
  std::uint64_t previous = 0;      // the event of this job before this one; 0: the first
  std::uint32_t fraction_ppm = 0;  // of a progress event
  std::string text{};
  bool operator==(const EventRecord&) const = default;
};

// A piece of output: fixed fields, then the bytes.
struct LogRecord {
  std::int64_t time_ms = 0;
  std::uint32_t attempt = 0;
  Stream stream{};
  std::string bytes{};
  bool operator==(const LogRecord&) const = default;
};

// Counters over the whole store, and the next numbers.
struct Totals {
  std::uint64_t next_job = 1;
  std::uint64_t next_event = 1;
  std::uint64_t next_worker = 1;
  std::uint32_t next_queue = 1;
  std::uint32_t next_task = 1;
  std::uint64_t enqueued = 0;
  std::uint64_t attempts = 0;
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t expired = 0;
  std::uint64_t crashes = 0;
  bool operator==(const Totals&) const = default;
};

std::string encode(const QueueRecord& record);
std::string encode(const WorkerRecord& record);
std::string encode(const EventRecord& record);
std::string encode(const LogRecord& record);
std::string encode(const Totals& record);
// Each throws Damaged if the bytes are not such a record of a known version.
QueueRecord decode_queue(std::string_view bytes);
WorkerRecord decode_worker(std::string_view bytes);
EventRecord decode_event(std::string_view bytes);
LogRecord decode_log(std::string_view bytes);
Totals decode_totals(std::string_view bytes);

}  // namespace tq::model
