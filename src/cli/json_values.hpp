// The contract's values as JSON: the schema that scripts see.
#pragma once

#include "cli/json_line.hpp"

#include <tq/types.hpp>

namespace tq::cli {

// A job; `command` is that of an `exec` job.
Json to_json(const JobInfo& job, const std::optional<Command>& command);
// The same, to be put into another object.
Json to_json_member(const JobInfo& job, const std::optional<Command>& command);
Json to_json(const QueueInfo& queue);
Json to_json_member(const QueueInfo& queue);
Json to_json(const Event& event);
Json to_json_member(const Event& event);
Json to_json_member(const WorkerInfo& worker);
Json to_json(const Stats& stats);
Json to_json(JobId id, const LogChunk& chunk);
Json to_json(JobId id, const Reason& reason);
Json to_json_member(const Reason& reason);
// How a job that was waited for ended.
Json to_json(JobId id, const Result& result);

}  // namespace tq::cli
