// The version of the file format, the record that says it, and the steps that lead to it.
#pragma once

#include "store/transaction.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tq::store {

// On disk: the trees' names, by Tree.
inline constexpr std::array<const char*, kTreeCount> kTreeNames = {"catalog", "jobs", "index",
                                                                   "events",  "logs", "blobs"};

// The first byte of keys which belong to the store itself; kinds of other floors start at 1.
inline constexpr std::uint8_t kStoreKind = 0;

// One step of a migration, from version `from` to the one after it.
struct MigrationStep {
  std::uint32_t from;
  std::string_view name;
  void (*run)(WriteTransaction&);
};

// What this program reads and writes. All steps that a file needs run in one transaction, so that a file is never between
// two versions.
struct Format {
  std::uint32_t version = 1;
  std::vector<MigrationStep> steps;
};

// The format of this build.
const Format& current_format();

// The record under key 00 in the tree `catalog`. Its first 12 bytes and its checksum stay as they are in every version, so
// that an older program can say what it has met.
struct FormatRecord {
  std::uint32_t version = 0;
  std::string uuid;  // 16 bytes
};
std::string encode_format(const FormatRecord& record);
std::string_view format_key();
// Throws Unsupported if the bytes are not a tq store's, or of a version above `known`. `path` is for the text.
FormatRecord decode_format(std::string_view bytes, std::uint32_t known, const std::string& path);

// Brings a store from `version` to that of `format`, and its record with it. Throws Unsupported if a step is missing.
void migrate(WriteTransaction& txn, FormatRecord record, const Format& format);

}  // namespace tq::store
