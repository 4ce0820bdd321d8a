#include "cli/batch_line.hpp"

#include "base/fail.hpp"
#include "cli/base64.hpp"
#include "cli/json_text.hpp"

#include <nlohmann/json.hpp>

namespace tq::cli {
namespace {

using base::fail;

// The members of an object, each with its value as it is spelled: a payload is kept byte for byte, which no tree of values
// would do. Only for text that has been found to be JSON, so that finding the end of a value is a matter of brackets.
class Members {
 public:
  explicit Members(std::string_view object) : rest_(object) {
    skip_blanks();
    if (!take('{')) fail<InvalidArgument>("it is JSON, but no object: write {{\"task\": ...}}");
  }

  // Moves on; false at the end.
  bool next() {
    skip_blanks();
    take(',');
    skip_blanks();
    if (take('}')) return false;
    key = take_string();
    skip_blanks();
    take(':');
    skip_blanks();
    value = take_value();
    return true;
  }

  std::string_view key;  // with its quotes
  std::string_view value;

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view take_first(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }

  // The length of the string at the beginning of `text`, with its quotes.
  static std::size_t string_length(std::string_view text) {
    std::size_t i = 1;
    while (i < text.size() && text[i] != '"') i += text[i] == '\\' ? 2u : 1u;
    return i + 1;
  }

  std::string_view take_string() { return take_first(string_length(rest_)); }

  std::string_view take_value() {
    if (rest_.starts_with('"')) return take_string();
    const bool is_nested = rest_.starts_with('{') || rest_.starts_with('[');
    return take_first(is_nested ? nested_length() : rest_.find_first_of(",} \t\r\n"));
  }

  std::size_t nested_length() const {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < rest_.size();) {
      const char c = rest_[i];
      if (c == '"') {
        i += string_length(rest_.substr(i));
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if (c == '}' || c == ']') --depth;
      ++i;
      if (depth == 0) return i;
    }
    return rest_.size();
  }

  std::string_view rest_;
};

std::string unquoted(std::string_view text) {
  if (text.find('\\') == text.npos) return std::string(text.substr(1, text.size() - 2));
  return nlohmann::json::parse(text).get<std::string>();
}

// What an option would be given on the command line.
std::string scalar(std::string_view key, std::string_view value) {
  if (value.starts_with('"')) return unquoted(value);
  if (value.starts_with('{') || value.starts_with('[')) fail<InvalidArgument>("{}: write one text or number", key);
  return std::string(value);
}

class LineReader {
 public:
  LineReader(const JobOptions& defaults, const std::string& task) : options_(defaults) { job_.task = task; }

  JobSpec read(std::string_view line) {
    check_json(line);
    for (Members members(line); members.next();) take(unquoted(members.key), members.value);
    if (job_.task.empty()) fail<InvalidArgument>("'task' is missing");
    job_.options = options_.values();
    return std::move(job_);
  }

 private:
  void take(const std::string& key, std::string_view value) {
    if (value == "null" && key != "payload") return;  // as a payload it is one
    if (key == "task") {
      if (!value.starts_with('"')) fail<InvalidArgument>("task: {} is no text", value);
      job_.task = unquoted(value);
    } else if (key == "payload") {
      take_payload({"json", std::string(value)});
    } else if (key == "payload_base64") {
      auto bytes = decode_base64(scalar(key, value));
      if (!bytes) fail<InvalidArgument>("payload_base64: it is no base64 (with padding, on one line)");
      take_payload({"raw", std::move(*bytes)});
    } else if (key == "label" && value.starts_with('[')) {
      for (const auto& label : nlohmann::json::parse(value)) {
        if (!label.is_string()) fail<InvalidArgument>("label: {} is no text", label.dump());
        set(key, label.get<std::string>());
      }
    } else {
      set(key, scalar(key, value));
    }
  }

  void take_payload(Payload payload) {
    if (has_payload_) fail<InvalidArgument>("the payload is given twice");
    has_payload_ = true;
    job_.payload = std::move(payload);
  }

  void set(const std::string& key, const std::string& text) {
    bool is_known = false;
    try {
      is_known = options_.set(key, text);
    } catch (const InvalidArgument& error) {
      fail<InvalidArgument>("{}: {}", key, error.what());
    }
    if (is_known) return;
    auto known = JobOptions::keys();
    known.insert(known.end(), {"task", "payload", "payload_base64"});
    const std::string meant = suggestion(key, known);
    fail<InvalidArgument>("there is no key '{}'{}{}", key, meant.empty() ? "" : ": ", meant);
  }

  JobOptions options_;
  JobSpec job_;
  bool has_payload_ = false;
};

}  // namespace

JobSpec read_job(std::string_view line, const JobOptions& defaults, const std::string& task) {
  return LineReader(defaults, task).read(line);
}

}  // namespace tq::cli
