#include "model/draft.hpp"

#include "base/clock.hpp"
#include "base/fail.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "model/packed.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tq::model {
namespace {

constexpr std::size_t kMaxLabels = 32;
constexpr std::uint32_t kTaskRetries = 3;
constexpr std::uint64_t kMaxQueueSize = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view kCommandCodec = "command";

std::int64_t checked_ms(std::string_view option, Duration duration) {
  if (duration < Duration::zero()) {
    base::fail<InvalidArgument>("{} is {}: it must not be negative", option, base::format_duration(duration));
  }
  if (duration > kMaxDuration) {
    base::fail<InvalidArgument>("{} is {}: at most {} are allowed", option, base::format_duration(duration),
                                base::format_duration(kMaxDuration));
  }
  return duration.count();
}

void check_not_too_late(std::string_view option, Time time, Time now) {
  if (time > now + kMaxDuration) {
    base::fail<InvalidArgument>("{} is {}: at most {} from now are allowed", option, base::format_time(time),
                                base::format_duration(kMaxDuration));
  }
}

Time due(const EnqueueOptions& options, Time now) {
  if (options.delay && options.at) base::fail<InvalidArgument>("delay and at are both given: use one of them");
  if (options.delay) return now + Duration(checked_ms("delay", *options.delay));
  if (!options.at) return now;
  check_not_too_late("at", *options.at, now);
  return std::max(*options.at, now);
}

std::optional<Time> deadline(const EnqueueOptions& options, Time now) {
  if (options.expires_in && options.expires_at) {
    base::fail<InvalidArgument>("expires is given both as a time and as a duration: use one of them");
  }
  if (options.expires_in) {
    const Duration left(checked_ms("expires", *options.expires_in));
    if (left == Duration::zero()) base::fail<InvalidArgument>("expires is 0s: the job could never start");
    return now + left;
  }
  if (!options.expires_at) return std::nullopt;
  if (*options.expires_at <= now) {
    base::fail<InvalidArgument>("expires is {}: it is past (now is {})", base::format_time(*options.expires_at),
                                base::format_time(now));
  }
  check_not_too_late("expires", *options.expires_at, now);
  return options.expires_at;
}

void set_backoff(JobHeader& header, const Backoff& backoff) {
  const bool is_exponential = backoff.kind == Backoff::Kind::exponential;
  if (!is_exponential && backoff.kind != Backoff::Kind::constant) {
    base::fail<InvalidArgument>("backoff is of kind {}: there are const and exp", static_cast<int>(backoff.kind));
  }
  header.backoff_kind = backoff.kind;
  header.backoff_base_ms = checked_ms("backoff base", backoff.base);
  header.backoff_cap_ms = checked_ms("backoff cap", backoff.cap);
  if (is_exponential && backoff.cap < backoff.base) {
    base::fail<InvalidArgument>("backoff cap is {}: it must not be below the base, which is {}",
                                base::format_duration(backoff.cap), base::format_duration(backoff.base));
  }
  const bool is_share = backoff.jitter >= 0 && backoff.jitter <= 1;  // false for what is not a number
  if (!is_share) base::fail<InvalidArgument>("backoff jitter is {}: it takes 0 to 1", backoff.jitter);
  header.backoff_jitter_permille = static_cast<std::uint16_t>(std::lround(backoff.jitter * 1000));
}

void check_payload(std::string_view task, const Payload& payload, std::size_t max_bytes) {
  base::check_name("codec", payload.codec);
  if (payload.bytes.size() > max_bytes) {
    base::fail<InvalidArgument>("payload has {} bytes: at most {} are allowed", payload.bytes.size(), max_bytes);
  }
  if (task == kExecTask && payload.codec != kCommandCodec) {
    base::fail<InvalidArgument>("payload is in codec '{}': task '{}' takes a command", payload.codec, kExecTask);
  }
}

void check_no_nul(std::string_view what, std::string_view text) {
  if (text.find('\0') != text.npos) base::fail<InvalidArgument>("{} has a NUL byte", what);
}

void check_variable(const std::string& name, const std::string& value) {
  if (name.empty()) base::fail<InvalidArgument>("env has a variable without a name");
  check_no_nul("the name of an env variable", name);
  if (name.find('=') != name.npos) base::fail<InvalidArgument>("env variable '{}' has a '=' in its name", name);
  check_no_nul(fmt::format("env variable '{}'", name), value);
}

}  // namespace

void check_labels(const std::vector<std::string>& labels) {
  if (labels.size() > kMaxLabels) {
    base::fail<InvalidArgument>("label is given {} times: at most {} are allowed", labels.size(), kMaxLabels);
  }
  for (const std::string& label : labels) base::check_name("label", label);
}

Draft draft(std::string_view task, Payload payload, const EnqueueOptions& options, Time now,
            std::size_t max_blob_bytes) {
  base::check_name("task", task);
  base::check_name("queue", options.queue);
  check_payload(task, payload, max_blob_bytes);
  check_labels(options.labels);
  const Time due_time = due(options, now);
  const std::optional<Time> expires = deadline(options, now);

  Draft draft;
  draft.queue = options.queue;
  draft.task = task;
  JobHeader& header = draft.header;
  header.state = due_time > now ? State::scheduled : State::ready;
  header.priority = options.priority;
  header.max_retries = options.max_retries.value_or(task == kExecTask ? 0 : kTaskRetries);
  header.enqueued_ms = base::to_ms(now);
  header.due_ms = base::to_ms(due_time);
  header.set(kSpan, options.delay.has_value());
  header.expires_ms = expires ? base::to_ms(*expires) : 0;
  header.timeout_ms = checked_ms("timeout", options.timeout);
  if (options.result_ttl) header.result_ttl_ms = checked_ms("result-ttl", *options.result_ttl);
  set_backoff(header, options.backoff);
  draft.details.payload_codec = std::move(payload.codec);
  draft.details.labels = options.labels;
  draft.payload = std::move(payload.bytes);
  return draft;
}

Payload encode_command(const Command& command, std::size_t max_blob_bytes) {
  if (command.argv.empty()) base::fail<InvalidArgument>("the command is missing");
  if (command.argv.front().empty()) base::fail<InvalidArgument>("the command's name is empty");
  std::size_t size = 0;
  for (const std::string& argument : command.argv) {
    check_no_nul("an argument of the command", argument);
    size += argument.size() + 1;
  }
  for (const auto& [name, value] : command.env) {
    check_variable(name, value);
    size += name.size() + value.size() + 2;
  }
  if (size > kMaxCommandBytes) {
    base::fail<InvalidArgument>("the command's arguments and environment have {} bytes: at most {} are allowed", size,
                                kMaxCommandBytes);
  }
  check_no_nul("cwd", command.cwd);
  if (!command.cwd.starts_with('/')) base::fail<InvalidArgument>("cwd is '{}': it must be absolute", command.cwd);
  std::string packed = pack(command);
  if (packed.size() > max_blob_bytes) {
    base::fail<InvalidArgument>("the command takes {} bytes with its stdin: at most {} are allowed", packed.size(),
                                max_blob_bytes);
  }
  return {std::string(kCommandCodec), std::move(packed)};
}

Command decode_command(const Payload& payload) {
  if (payload.codec != kCommandCodec) {
    base::fail<CodecError>("the payload is in codec '{}', not a command", payload.codec);
  }
  try {
    return unpack_command(payload.bytes);
  } catch (const Damaged& error) {
    throw CodecError(error.what());
  }
}

void check(const JobChange& change, Time now) {
  if (change.queue) base::check_name("queue", *change.queue);
  if (change.at) check_not_too_late("at", *change.at, now);
  if (change.labels) check_labels(*change.labels);
}

void check(const QueueSettings& settings) {
  if (settings.max_size > kMaxQueueSize) {
    base::fail<InvalidArgument>("max-size is {}: at most {} are allowed", settings.max_size, kMaxQueueSize);
  }
}

}  // namespace tq::model
