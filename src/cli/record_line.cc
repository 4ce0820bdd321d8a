#include "cli/record_line.hpp"

#include "base/fail.hpp"
#include "cli/base64.hpp"
#include "cli/json_line.hpp"
#include "cli/json_text.hpp"

#include <nlohmann/json.hpp>

namespace tq::cli {
namespace {

using base::fail;
using Parsed = nlohmann::json;

std::string bytes_of(const std::string& name, const Parsed& value) {
  if (value.is_string()) return value.get<std::string>();
  const bool is_base64 =
      value.is_object() && value.size() == 1 && value.contains("base64") && value["base64"].is_string();
  if (!is_base64) fail<InvalidArgument>("{}: it is neither text nor {{\"base64\": \"...\"}}", name);
  auto bytes = decode_base64(value["base64"].get_ref<const std::string&>());
  if (!bytes) fail<InvalidArgument>("{}: it is no base64 (with padding, on one line)", name);
  return std::move(*bytes);
}

Record::Value value_of(const std::string& name, const Parsed& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_unsigned()) return value.get<std::uint64_t>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_array()) return bytes_of(name, value);
  std::vector<std::string> texts;
  for (const Parsed& text : value) texts.push_back(bytes_of(name, text));
  return texts;
}

}  // namespace

std::string to_line(const Record& record) {
  Json json = Json::line().add("kind", record.kind);
  for (const auto& [name, value] : record.fields) {
    std::visit([&, &field = name](const auto& known) { json.add(field, known); }, value);
  }
  return json.text();
}

Record read_record(std::string_view line) {
  check_json(line);
  const Parsed object = Parsed::parse(line);
  if (!object.is_object()) fail<InvalidArgument>("it is JSON, but no object");
  const auto kind = object.find("kind");
  if (kind == object.end() || !kind->is_string()) fail<InvalidArgument>("it has no 'kind'");
  Record record{kind->get<std::string>(), {}};
  for (const auto& [name, value] : object.items()) {
    if (name != "v" && name != "kind") record.fields.emplace_back(name, value_of(name, value));
  }
  return record;
}

}  // namespace tq::cli
