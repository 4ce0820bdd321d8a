// JSON that somebody else wrote, kept as text.
#pragma once

#include <string>
#include <string_view>

namespace tq::cli {

bool is_json(std::string_view text);
// Throws InvalidArgument that says where it goes wrong, unless `text` is JSON.
void check_json(std::string_view text);
// The same JSON without the blanks and line breaks between its parts. Everything else stays as it is spelled, numbers above all.
std::string one_line(std::string_view json);

}  // namespace tq::cli
