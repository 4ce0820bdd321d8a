// A record of an export as a line of JSON.
#pragma once

#include <tq/record.hpp>

#include <string>
#include <string_view>

namespace tq::cli {

// {"v":1,"kind":"job","id":17,...}
std::string to_line(const Record& record);
// Throws InvalidArgument for what is no such line.
Record read_record(std::string_view line);

}  // namespace tq::cli
