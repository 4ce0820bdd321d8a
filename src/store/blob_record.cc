#include "store/blob_record.hpp"

namespace tq::store {

std::string encode_blob(const BlobRecord& record) {
  std::string bytes(1, static_cast<char>(record.form));
  if (record.form == BlobForm::whole) return bytes.append(record.bytes);
  base::append_le(bytes, record.size);
  base::append_le(bytes, record.checksum);
  return bytes + record.file;
}

std::optional<BlobRecord> decode_blob(std::string_view bytes) {
  base::ByteReader reader(bytes);
  BlobRecord record;
  record.form = static_cast<BlobForm>(reader.le<std::uint8_t>());
  switch (record.form) {
    case BlobForm::whole:
      record.bytes = reader.rest();
      record.size = record.bytes.size();
      return record;
    case BlobForm::chunks:
    case BlobForm::file:
      record.size = reader.le<std::uint64_t>();
      record.checksum = reader.le<std::uint32_t>();
      record.file = reader.rest();
      if (!reader.ok() || record.file.empty() != (record.form == BlobForm::chunks)) return std::nullopt;
      return record;
  }
  return std::nullopt;
}

std::string_view to_string(BlobKind kind) {
  switch (kind) {
    case BlobKind::payload:
      return "payload";
    case BlobKind::result:
      return "result";
    case BlobKind::saved:
      return "saved state";
  }
  return "blob";
}

}  // namespace tq::store
