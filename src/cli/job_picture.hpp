// Everything about one job, gathered.
#pragma once

#include "cli/json_line.hpp"

#include <tq/task_queue.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tq::cli {

// One run of the job, put together from its events.
struct AttemptPicture {
  std::uint32_t number = 0;
  Time started{};
  std::optional<Time> ended;
  std::string outcome = "running";
  std::string text;
};

struct JobPicture {
  JobInfo job;
  std::optional<Command> command;
  std::optional<Payload> payload;  // unless it is a command, or too large to be shown
  std::vector<Event> events;
  std::vector<AttemptPicture> attempts;
  std::vector<Reason> reasons;  // why it is not running
};

// Throws NotFound if there is no such job.
JobPicture look_at(const TaskQueue& store, JobId id);

Json to_json(const JobPicture& picture);

}  // namespace tq::cli
