#include "store/intake_record.hpp"

#include "base/bytes.hpp"
#include "base/crc.hpp"
#include "base/fail.hpp"

namespace tq::store {
namespace {

constexpr std::size_t kSizeOffset = 24;
constexpr std::size_t kChecksumOffset = 32;

// position(8) number(8) synced(8) size(4) before(4) checksum(4) 0(4) bytes, then zeros up to a multiple of 8.
IntakeEnd append(std::string& out, const IntakeRecord& record, std::uint64_t all_bytes) {
  const std::size_t start = out.size();
  base::append_le(out, record.position);
  base::append_le(out, record.number);
  base::append_le(out, record.synced);
  base::append_le(out, record.size);
  base::append_le(out, record.before);
  const std::uint32_t head = base::crc32c(std::string_view(out).substr(start, kChecksumOffset));
  const std::uint32_t checksum = base::crc32c(record.bytes, head);
  base::append_le(out, checksum);
  base::append_le(out, std::uint32_t{0});
  out.append(record.bytes);
  out.resize(start + all_bytes);
  return {record.position + all_bytes, checksum};
}

}  // namespace

IntakeEnd IntakeRecord::end() const { return {position + intake_record_bytes(size), checksum}; }

IntakeEnd append_record(std::string& out, IntakeRecord record) {
  TQ_ASSERT(record.number != 0);
  record.size = static_cast<std::uint32_t>(record.bytes.size());
  return append(out, record, intake_record_bytes(record.size));
}

IntakeEnd append_filler(std::string& out, std::uint64_t position, std::uint64_t synced, std::uint32_t before,
                        std::uint64_t bytes) {
  const std::string zeros(bytes - kIntakeHeadBytes, '\0');
  return append(out,
                {.position = position,
                 .synced = synced,
                 .size = static_cast<std::uint32_t>(zeros.size()),
                 .before = before,
                 .bytes = zeros},
                bytes);
}

std::optional<IntakeRecord> decode_record(std::string_view bytes, std::uint64_t position) {
  base::ByteReader reader(bytes);
  IntakeRecord record;
  record.position = reader.le<std::uint64_t>();
  record.number = reader.le<std::uint64_t>();
  record.synced = reader.le<std::uint64_t>();
  record.size = reader.le<std::uint32_t>();
  record.before = reader.le<std::uint32_t>();
  record.checksum = reader.le<std::uint32_t>();
  reader.take(4);
  record.bytes = reader.take(record.size);
  if (!reader.ok() || record.position != position) return std::nullopt;
  const std::uint32_t head = base::crc32c(bytes.substr(0, kChecksumOffset));
  if (base::crc32c(record.bytes, head) != record.checksum) return std::nullopt;
  return record;
}

std::uint64_t claimed_bytes(std::string_view head) {
  if (head.size() < kIntakeHeadBytes) return 0;
  return intake_record_bytes(base::ByteReader(head.substr(kSizeOffset)).le<std::uint32_t>());
}

}  // namespace tq::store
