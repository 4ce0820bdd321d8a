// A line of `put --batch`: a job as a JSON object.
#pragma once

#include "cli/job_options.hpp"

#include <tq/types.hpp>

#include <string>
#include <string_view>

namespace tq::cli {

// The job of a line. What the line does not say is as in `defaults`, its task as `task`, unless that is empty. Throws
// InvalidArgument that names the key, what is wrong, and what would be right.
JobSpec read_job(std::string_view line, const JobOptions& defaults, const std::string& task);

}  // namespace tq::cli
