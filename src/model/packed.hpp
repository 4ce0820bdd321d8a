// The cold values as bytes: a version byte, then the value's fields in cereal's portable binary archive. The only code that
// knows cereal is behind this header; job_record.hpp and records.hpp declare the rest of it.
#pragma once

#include <tq/types.hpp>

#include <string>
#include <string_view>

namespace tq::model {

// On disk.
std::string pack(const Command& command);
// Throws Damaged.
Command unpack_command(std::string_view bytes);

}  // namespace tq::model
