// Options as a caller gives them, checked and made into what is stored.
#pragma once

#include "model/job_record.hpp"

#include <tq/types.hpp>

#include <string>
#include <string_view>

namespace tq::model {

// A job that is ready to be enqueued: all that can be decided without the store has been.
struct Draft {
  std::string queue;
  std::string task;
  JobHeader header;  // state is scheduled or ready; queue, task, payload flags are still to be set
  JobDetails details;
  std::string payload;  // whatever its size
};

// Checks everything that can be wrong with a job on its own: names, durations (negative, beyond kMaxDuration), a backoff,
// both of delay and at, a deadline that is past, labels (at most 32), codec name, payload over `max_blob_bytes`, an `exec`
// job whose payload is no command. Throws InvalidArgument that names the option, the value and the limit.
Draft draft(std::string_view task, Payload payload, const EnqueueOptions& options, Time now,
            std::size_t max_blob_bytes);

// The payload of an `exec` job. Throws InvalidArgument: no arguments, an argument, variable or directory with a NUL byte,
// a variable's name that is empty or has a '=', a directory that is not absolute, arguments and environment over
// kMaxCommandBytes, all with the standard input over `max_blob_bytes`.
Payload encode_command(const Command& command, std::size_t max_blob_bytes);
// Throws CodecError if the payload is not a command.
Command decode_command(const Payload& payload);

// What draft() would say of the same fields. Throws InvalidArgument.
void check(const JobChange& change, Time now);

// Throws InvalidArgument: more than 32, or one that cannot be a name.
void check_labels(const std::vector<std::string>& labels);

// Throws InvalidArgument that names the queue's setting, the value and the limit.
void check(const QueueSettings& settings);

}  // namespace tq::model
