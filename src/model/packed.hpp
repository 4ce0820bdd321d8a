// The cold values as bytes: a version byte, then the value's fields in cereal's portable binary archive. The only code that
// knows cereal is behind this header; job_record.hpp and records.hpp declare the rest of it.
#pragma once

#include "model/job_record.hpp"

#include <tq/types.hpp>

#include <string>
#include <string_view>

namespace tq::model {

// On disk. Empty for the defaults.
std::string pack(const JobDetails& details);
// Throws Damaged.
JobDetails unpack_details(std::string_view bytes);

// On disk.
std::string pack(const Command& command);
// Throws Damaged.
Command unpack_command(std::string_view bytes);

}  // namespace tq::model
