#include "cli/json_values.hpp"

namespace tq::cli {
namespace {

// {"blocked": 0, ...}
Json counts(const std::uint64_t (&count)[kStateCount]) {
  Json json;
  for (std::size_t i = 1; i < kStateCount; ++i) json.add(to_string(static_cast<State>(i)), count[i]);
  return json;
}

Json to_json(const Backoff& backoff) {
  Json json;
  json.add("kind", backoff.kind == Backoff::Kind::constant ? "const" : "exp").add("base_ms", backoff.base);
  return json.add("cap_ms", backoff.cap).add("jitter", backoff.jitter);
}

std::optional<Duration> unless_zero(Duration duration) {
  return duration == Duration::zero() ? std::nullopt : std::optional(duration);
}

Json& add_job(Json& json, const JobInfo& job, const std::optional<Command>& command) {
  json.add("id", job.id).add("state", to_string(job.state)).add("queue", job.queue).add("task", job.task);
  command ? json.add("command", command->argv) : json.raw("command", "null");
  json.add("priority", job.priority).add("attempt", job.attempt).add("max_retries", job.max_retries);
  json.add("crashes", job.crashes).add("enqueued", job.enqueued).add("due", job.due).add("started", job.started);
  json.add("finished", job.finished).add("expires", job.expires).add("timeout_ms", unless_zero(job.timeout));
  json.add("backoff", to_json(job.backoff)).add("result_ttl_ms", job.result_ttl).add("labels", job.labels);
  json.add("worker", job.worker == 0 ? std::nullopt : std::optional(job.worker));
  json.add("cancel_requested", job.cancel_requested).add("exit_code", job.exit_code).add("error", job.error);
  json.add("codec", job.codec).add("payload_bytes", job.payload_bytes).add("result_bytes", job.result_bytes);
  return json.add("log_bytes", job.log_bytes).add("log_dropped_bytes", job.log_dropped_bytes);
}

Json& add_queue(Json& json, const QueueInfo& queue) {
  json.add("name", queue.name).add("paused", queue.paused);
  json.add("max_size", queue.settings.max_size == 0 ? std::nullopt : std::optional(queue.settings.max_size));
  return json.add("waiting", queue.waiting()).add("unfinished", queue.unfinished()).add("count", counts(queue.count));
}

Json& add_event(Json& json, const Event& event) {
  json.add("seq", event.seq).add("time", event.time).add("type", to_string(event.type));
  if (event.job != 0) json.add("id", event.job);
  if (event.attempt != 0) json.add("attempt", event.attempt);
  if (event.worker != 0) json.add("worker", event.worker);
  if (!event.queue.empty()) json.add("queue", event.queue);
  if (event.type == EventType::progress) json.add("fraction", event.fraction);
  if (!event.text.empty()) json.add("text", event.text);
  return json;
}

std::string_view to_string(Stream stream) {
  return stream == Stream::out ? "stdout" : stream == Stream::err ? "stderr" : "note";
}

}  // namespace

Json to_json(const JobInfo& job, const std::optional<Command>& command) {
  Json json = Json::line();
  return add_job(json, job, command);
}

Json to_json_member(const JobInfo& job, const std::optional<Command>& command) {
  Json json;
  return add_job(json, job, command);
}

Json to_json(const QueueInfo& queue) {
  Json json = Json::line();
  return add_queue(json, queue);
}

Json to_json_member(const QueueInfo& queue) {
  Json json;
  return add_queue(json, queue);
}

Json to_json(const Event& event) {
  Json json = Json::line();
  return add_event(json, event);
}

Json to_json_member(const Event& event) {
  Json json;
  return add_event(json, event);
}

Json to_json_member(const WorkerInfo& worker) {
  Json json;
  json.add("id", worker.id).add("pid", worker.pid).add("host", worker.host).add("started", worker.started);
  json.add("concurrency", worker.concurrency).add("queues", worker.queues).add("tasks", worker.tasks);
  return json.add("alive", worker.alive).add("stopping", worker.stopping);
}

Json to_json(const Stats& stats) {
  Json json = Json::line();
  json.add("count", counts(stats.count)).add("enqueued", stats.enqueued).add("attempts", stats.attempts);
  json.add("succeeded", stats.succeeded).add("failed", stats.failed).add("cancelled", stats.cancelled);
  json.add("expired", stats.expired).add("crashes", stats.crashes).add("file_bytes", stats.file_bytes);
  json.add("used_bytes", stats.used_bytes).add("last_event", stats.last_event).add("queues", stats.queues);
  return json.add("workers", stats.workers);
}

Json to_json(JobId id, const LogChunk& chunk) {
  Json json = Json::line();
  json.add("id", id).add("seq", chunk.seq).add("time", chunk.time).add("attempt", chunk.attempt);
  return json.add("stream", to_string(chunk.stream)).add("data", chunk.bytes);
}

Json to_json(JobId id, const Reason& reason) {
  return Json::line().add("id", id).add("code", reason.code).add("text", reason.text);
}

Json to_json_member(const Reason& reason) { return Json().add("code", reason.code).add("text", reason.text); }

Json to_json(JobId id, const Result& result) {
  Json json = Json::line();
  json.add("id", id).add("state", to_string(result.state)).add("exit_code", result.exit_code);
  return json.add("error", result.error);
}

}  // namespace tq::cli
