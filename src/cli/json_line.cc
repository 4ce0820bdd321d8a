#include "cli/json_line.hpp"

#include "base/text.hpp"
#include "base/time_text.hpp"
#include "cli/base64.hpp"

#include <fmt/format.h>

namespace tq::cli {
namespace {

void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      if (static_cast<unsigned char>(c) >= 0x20) {
        out += c;
      } else {
        fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
      }
  }
}

template <class T, class ToText>
std::string array_of(const std::vector<T>& values, ToText to_text) {
  std::string text = "[";
  for (const T& value : values) text.append(text.size() == 1 ? "" : ",").append(to_text(value));
  return text + ']';
}

}  // namespace

std::string json_string(std::string_view bytes) {
  if (!base::is_utf8(bytes)) return fmt::format(R"({{"base64":"{}"}})", encode_base64(bytes));
  std::string text = "\"";
  for (const char c : bytes) append_escaped(text, c);
  return text + '"';
}

Json& Json::add(std::string_view name, double number) { return raw(name, fmt::format("{}", number)); }

Json& Json::add(std::string_view name, Time time) { return raw(name, '"' + base::format_time(time) + '"'); }

Json& Json::add(std::string_view name, const std::vector<std::string>& texts) {
  return raw(name, array_of(texts, [](const std::string& text) { return json_string(text); }));
}

Json& Json::add(std::string_view name, const std::vector<Json>& objects) {
  return raw(name, array_of(objects, [](const Json& object) { return object.text(); }));
}

Json& Json::add_named(std::string_view name, std::string_view text) {
  const std::string escaped = json_string(base::shorten(name, name.size() * 3));
  return raw(std::string_view(escaped).substr(1, escaped.size() - 2), json_string(text));
}

Json& Json::raw(std::string_view name, std::string_view json) {
  members_ += members_.empty() ? '{' : ',';
  members_.append("\"").append(name).append("\":").append(json);
  return *this;
}

}  // namespace tq::cli
