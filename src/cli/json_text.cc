#include "cli/json_text.hpp"

#include "base/fail.hpp"

#include <nlohmann/json.hpp>

namespace tq::cli {

bool is_json(std::string_view text) { return nlohmann::json::accept(text); }

void check_json(std::string_view text) {
  if (is_json(text)) return;
  try {
    [[maybe_unused]] const auto value = nlohmann::json::parse(text);
  } catch (const nlohmann::json::parse_error& error) {
    if (error.byte > text.size()) base::fail<InvalidArgument>("it is not JSON: it ends too early");
    base::fail<InvalidArgument>("it is not JSON: byte {} is wrong", error.byte);
  } catch (const nlohmann::json::exception&) {  // a number beyond all bounds
  }
  base::fail<InvalidArgument>("it is not JSON that can be read");
}

std::string one_line(std::string_view json) {
  std::string line;
  line.reserve(json.size());
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    const bool is_blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!in_string && is_blank) continue;
    line += c;
    if (in_string && c == '\\' && i + 1 < json.size()) line += json[++i];
    if (c == '"') in_string = !in_string;
  }
  return line;
}

}  // namespace tq::cli
