// The fields of the records as export and import name them. One list for both directions, so that what is written is what is
// read. On disk, in people's exports: a name that was released keeps its meaning.
#pragma once

#include "model/job_record.hpp"
#include "model/records.hpp"

#include <string>

namespace tq::engine {

inline constexpr std::uint64_t kPortableVersion = 1;

// The rest of what belongs to a job, beside its record.
struct PortableJob {
  std::uint64_t id = 0;
  std::string queue;
  std::string task;
  model::JobHeader header;
  model::JobDetails details;
  std::string payload;
  std::string result;
  std::string error;
  bool has_saved = false;
  std::string saved;
};

template <class Fields>
void describe(Fields& f, model::Totals& totals) {
  f("next_job", totals.next_job), f("next_event", totals.next_event), f("next_worker", totals.next_worker);
  f("next_queue", totals.next_queue), f("next_task", totals.next_task), f("enqueued", totals.enqueued);
  f("attempts", totals.attempts), f("succeeded", totals.succeeded), f("failed", totals.failed);
  f("cancelled", totals.cancelled), f("expired", totals.expired), f("crashes", totals.crashes);
}

template <class Fields>
void describe(Fields& f, model::QueueRecord& queue) {
  f("name", queue.name), f("paused", queue.paused), f("max_size", queue.max_size);
}

// Of a worker no more than what a copy knows of it (clear_copied_worker).
template <class Fields>
void describe(Fields& f, model::WorkerRecord& worker) {
  f("host", worker.host), f("started_ms", worker.started_ms), f("concurrency", worker.concurrency);
  f("max_crashes", worker.max_crashes), f("stopping", worker.stopping);
  f("queues", worker.queues), f("tasks", worker.tasks);
}

template <class Fields>
void describe(Fields& f, model::LogRecord& piece) {
  f("time_ms", piece.time_ms), f("attempt", piece.attempt), f("stream", piece.stream), f("bytes", piece.bytes);
}

template <class Fields>
void describe(Fields& f, model::EventRecord& event) {
  f("time_ms", event.time_ms), f("type", event.type), f("job", event.job), f("attempt", event.attempt);
  f("worker", event.worker), f("previous", event.previous), f("fraction_ppm", event.fraction_ppm);
  f("text", event.text);
}

template <class Fields>
void describe_times(Fields& f, model::JobHeader& header) {
  f("enqueued_ms", header.enqueued_ms), f("due_ms", header.due_ms), f("started_ms", header.started_ms);
  f("finished_ms", header.finished_ms), f("expires_ms", header.expires_ms), f("timeout_ms", header.timeout_ms);
  f("keep_until_ms", header.keep_until_ms), f("result_ttl_ms", header.result_ttl_ms);
  f("backoff", header.backoff_kind), f("backoff_base_ms", header.backoff_base_ms);
  f("backoff_cap_ms", header.backoff_cap_ms), f("backoff_jitter_permille", header.backoff_jitter_permille);
}

template <class Fields>
void describe_output(Fields& f, model::JobHeader& header) {
  f("log_next", header.log_next), f("log_bytes", header.log_bytes), f("log_head_bytes", header.log_head_bytes);
  f("log_dropped_bytes", header.log_dropped_bytes), f("log_dropped_after", header.log_dropped_after);
}

template <class Fields>
void describe(Fields& f, PortableJob& job) {
  model::JobHeader& header = job.header;
  f("id", job.id), f("state", header.state), f("queue", job.queue), f("task", job.task);
  f("priority", header.priority), f("run", header.run), f("attempt", header.attempt);
  f("max_retries", header.max_retries), f("crashes", header.crashes), f("worker", header.worker);
  f("last_event", header.last_event);
  f.flag("cancel_requested", header, model::kCancelRequested), f.flag("ahead", header, model::kAhead);
  f.flag("span", header, model::kSpan), f.flag("has_exit_code", header, model::kHasExitCode);
  f("exit_code", header.exit_code);
  describe_times(f, header);
  describe_output(f, header);
  f("labels", job.details.labels), f("codec", job.details.payload_codec), f("payload", job.payload);
  f("result_codec", job.details.result_codec), f("result", job.result), f("error", job.error);
  f("has_saved", job.has_saved), f("saved", job.saved);
}

}  // namespace tq::engine
