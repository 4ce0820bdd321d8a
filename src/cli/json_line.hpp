// JSON as `--json` prints it: an object a line, members in the order in which they are added.
#pragma once

#include <tq/types.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tq::cli {

// A string of JSON: text as it is, bytes that are not UTF-8 as {"base64": "..."}.
std::string json_string(std::string_view bytes);

// One object. Names must be literals that need no escaping.
class Json {
 public:
  // One to be printed by itself: it begins with "v":1.
  static Json line() { return Json().add("v", 1); }

  Json& add(std::string_view name, std::string_view text) { return raw(name, json_string(text)); }
  Json& add(std::string_view name, const char* text) { return add(name, std::string_view(text)); }
  Json& add(std::string_view name, const std::string& text) { return add(name, std::string_view(text)); }
  Json& add(std::string_view name, bool value) { return raw(name, value ? "true" : "false"); }
  template <std::integral Number>
  Json& add(std::string_view name, Number number) {
    return raw(name, std::to_string(number));
  }
  Json& add(std::string_view name, double number);
  Json& add(std::string_view name, Time time);
  // In milliseconds: the name ends in "_ms".
  Json& add(std::string_view name, Duration duration) { return add(name, duration.count()); }
  Json& add(std::string_view name, const Json& object) { return raw(name, object.text()); }
  // Nothing is null.
  template <class T>
  Json& add(std::string_view name, const std::optional<T>& value) {
    return value ? add(name, *value) : raw(name, "null");
  }
  Json& add(std::string_view name, const std::vector<std::string>& texts);
  Json& add(std::string_view name, const std::vector<Json>& objects);
  // A value that is JSON already.
  Json& raw(std::string_view name, std::string_view json);
  // A name that needs escaping, with its text.
  Json& add_named(std::string_view name, std::string_view text);

  std::string text() const { return members_.empty() ? "{}" : members_ + '}'; }

 private:
  std::string members_;  // without the closing brace
};

}  // namespace tq::cli
