#include "store/format.hpp"

#include "base/bytes.hpp"
#include "base/fail.hpp"

#include <algorithm>

namespace tq::store {
namespace {

constexpr std::string_view kMagic("tqstore\0", 8);
constexpr std::size_t kUuidBytes = 16;

}  // namespace

const Format& current_format() {
  static const Format format;
  return format;
}

std::string_view format_key() {
  static constexpr char kKey[1] = {kStoreKind};
  return {kKey, 1};
}

std::string encode_format(const FormatRecord& record) {
  std::string bytes(kMagic);
  base::append_le(bytes, record.version);
  return bytes + record.uuid;
}

FormatRecord decode_format(std::string_view bytes, std::uint32_t known, const std::string& path) {
  base::ByteReader reader(bytes);
  FormatRecord record;
  const bool is_ours = reader.take(kMagic.size()) == kMagic;
  record.version = reader.le<std::uint32_t>();
  if (!is_ours || !reader.ok())
    base::fail<Unsupported>("cannot open '{}': it is an LMDB file, but not a tq store", path);
  if (record.version > known) {
    base::fail<Unsupported>("cannot open '{}': it is in format {}, and this tq knows formats up to {}; use a newer tq",
                            path, record.version, known);
  }
  record.uuid = reader.take(kUuidBytes);
  if (!reader.ok()) base::fail<Damaged>("cannot open '{}': its format record is too short", path);
  return record;
}

void migrate(WriteTransaction& txn, FormatRecord record, const Format& format) {
  while (record.version < format.version) {
    const auto step = std::find_if(format.steps.begin(), format.steps.end(),
                                   [&](const MigrationStep& known) { return known.from == record.version; });
    if (step == format.steps.end()) {
      base::fail<Unsupported>("cannot open '{}': it is in format {}, which this tq cannot bring to format {}",
                              txn.environment().path().native(), record.version, format.version);
    }
    step->run(txn);
    ++record.version;
  }
  txn.put(Tree::catalog, format_key(), encode_format(record));
}

}  // namespace tq::store
