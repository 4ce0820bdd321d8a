#include "cli/job_picture.hpp"

#include "base/fail.hpp"
#include "cli/job_text.hpp"
#include "cli/json_text.hpp"
#include "cli/json_values.hpp"

#include <limits>

namespace tq::cli {
namespace {

// Payloads that are larger are not printed; `result` and the library hand them out.
constexpr std::size_t kShownBytes = 64 * 1024;

bool ends_attempt(EventType type) {
  switch (type) {
    case EventType::retrying:
    case EventType::succeeded:
    case EventType::failed:
    case EventType::cancelled:
    case EventType::crashed:
    case EventType::interrupted:
    case EventType::snoozed:
      return true;
    default:
      return false;
  }
}

std::vector<AttemptPicture> attempts_of(const std::vector<Event>& events) {
  std::vector<AttemptPicture> attempts;
  for (const Event& event : events) {
    if (event.type == EventType::started) {
      attempts.push_back({event.attempt, event.time});
    } else if (ends_attempt(event.type) && !attempts.empty() && !attempts.back().ended) {
      attempts.back().ended = event.time;
      attempts.back().outcome = event.type == EventType::retrying ? "failed" : to_string(event.type);
      attempts.back().text = event.text;
    }
  }
  return attempts;
}

Json to_json(const AttemptPicture& attempt) {
  Json json;
  json.add("attempt", attempt.number).add("started", attempt.started).add("ended", attempt.ended);
  return json.add("outcome", attempt.outcome).add("text", attempt.text);
}

void add_command(Json& json, const Command& command) {
  Json env;
  for (const auto& [name, value] : command.env) env.add_named(name, value);
  json.add("cwd", command.cwd).add("env", env).add("stdin_bytes", command.stdin_data.size());
}

}  // namespace

JobPicture look_at(const TaskQueue& store, JobId id) {
  const auto job = store.get(id);
  if (!job) base::fail<NotFound>("there is no job {}", id);
  JobPicture picture;
  picture.job = *job;
  picture.command = command_of(store, *job);
  if (!picture.command && job->payload_bytes <= kShownBytes) picture.payload = store.payload(id);
  EventFilter filter;
  filter.job = id;
  filter.limit = std::numeric_limits<std::size_t>::max();
  picture.events = store.events(filter);
  picture.attempts = attempts_of(picture.events);
  if (!is_final(job->state) && job->state != State::running) picture.reasons = store.why(id);
  return picture;
}

Json to_json(const JobPicture& picture) {
  Json json = to_json(picture.job, picture.command);
  if (picture.command) add_command(json, *picture.command);
  if (picture.payload) {
    const bool is_value = picture.payload->codec == "json" && is_json(picture.payload->bytes);
    json.raw("payload", is_value ? one_line(picture.payload->bytes) : json_string(picture.payload->bytes));
  }
  std::vector<Json> attempts;
  std::vector<Json> reasons;
  std::vector<Json> events;
  for (const AttemptPicture& attempt : picture.attempts) attempts.push_back(to_json(attempt));
  for (const Reason& reason : picture.reasons) reasons.push_back(to_json_member(reason));
  for (const Event& event : picture.events) events.push_back(to_json_member(event));
  return json.add("attempts", attempts).add("why", reasons).add("events", events);
}

}  // namespace tq::cli
