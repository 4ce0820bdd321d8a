// Records of a store as plain values: in a form that no version of the file format changes, what `export` writes and `import`
// reads; and as they were found, damaged.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tq {

// Its kind and its fields, those that have their default left out. In an export come, in this order: one `store` (counters), `queue`,
// `task`, `worker`, `job`, `output` and `event` records, and one `end`, which says how many there were.
//
// Names of fields end in `_ms` for times (since 1970-01-01 UTC) and durations. Strings are bytes.
struct Record {
  using Value = std::variant<bool, std::int64_t, std::uint64_t, std::string, std::vector<std::string>>;
  std::string kind;
  std::vector<std::pair<std::string, Value>> fields;
  bool operator==(const Record&) const = default;
};

// A record of a damaged store that could not be kept.
struct Damage {
  std::string what;   // "job 17", for people
  std::string tree;   // where it was: FORMAT.md
  std::string key;    // bytes
  std::string value;  // bytes, as they were found
};

// What a repair has done.
struct Repaired {
  std::uint64_t records = 0;            // that were whole, and kept
  std::uint64_t set_aside = 0;          // that were not
  std::vector<std::string> changes{};   // what was put right, one sentence each, at most 1,000
  std::vector<std::string> problems{};  // what a deep check finds afterwards: nothing, if all went well
};

}  // namespace tq
