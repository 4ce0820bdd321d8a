// The three kinds of waiting. All sleep until something happens, say how jobs ended, and return the exit code.
#pragma once

#include "cli/session.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tq::cli {

struct WaitOptions {
  bool any = false;  // until the first is over, whose id is printed
  std::optional<Duration> timeout;
  bool progress = false;
};

// Until the job is over; ends with its own code.
int wait_for_one(Session& session, const TaskQueue& store, JobId id, const WaitOptions& options);
// Until these jobs are. Throws NotFound if one of them does not exist.
int wait_for_jobs(Session& session, const TaskQueue& store, const std::vector<JobId>& ids, const WaitOptions& options);
// Until every job of the queue, or of the store, is over, also those that are added meanwhile.
int wait_until_idle(Session& session, const TaskQueue& store, const std::optional<std::string>& queue,
                    const WaitOptions& options);

}  // namespace tq::cli
