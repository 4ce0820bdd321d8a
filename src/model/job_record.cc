#include "model/job_record.hpp"

#include "base/bytes.hpp"
#include "base/fail.hpp"
#include "model/fields.hpp"
#include "model/packed.hpp"

#include <array>

namespace tq::model {
namespace {

constexpr std::uint32_t kKnownFlags = kCancelRequested | kPayloadIsBlob | kResultIsBlob | kHasSaved | kHasExitCode |
                                      kAhead | kSpan | 3u << kPayloadCodecShift | 3u << kResultCodecShift;

struct SectionSizes {
  std::uint32_t details = 0;
  std::uint32_t payload = 0;
  std::uint32_t result = 0;
  std::uint32_t error = 0;
  std::uint64_t sum() const { return std::uint64_t{details} + payload + result + error; }
};

// The order of the bytes on disk: never change it, make a new version.
template <class Visit, class Header, class Sizes>
constexpr void visit(Visit&& field, Header& h, Sizes& sizes) {
  field(h.state), field(h.backoff_kind), field(h.backoff_jitter_permille), field(h.flags);
  field(h.queue), field(h.task), field(h.priority);
  field(h.run), field(h.attempt), field(h.max_retries), field(h.crashes), field(h.exit_code);
  field(h.enqueued_ms), field(h.due_ms), field(h.started_ms), field(h.finished_ms), field(h.expires_ms);
  field(h.timeout_ms), field(h.keep_until_ms), field(Complement{h.result_ttl_ms});
  field(h.backoff_base_ms), field(h.backoff_cap_ms);
  field(h.worker), field(h.last_event);
  field(h.log_next), field(h.log_bytes), field(h.log_head_bytes);
  field(h.log_dropped_bytes), field(h.log_dropped_after);
  field(sizes.details), field(sizes.payload), field(sizes.result), field(sizes.error);
}

constexpr std::size_t kFieldsBytes = fields_size([](auto&& field) {
  JobHeader header;
  SectionSizes sizes;
  visit(field, header, sizes);
});
static_assert(kFieldsBytes == 192);

std::uint32_t section_size(std::string_view section) {
  TQ_ASSERT(section.size() <= UINT32_MAX);
  return static_cast<std::uint32_t>(section.size());
}

bool is_zero(std::string_view bytes) {
  return bytes.empty() || (bytes[0] == 0 && bytes.substr(1) == bytes.substr(0, bytes.size() - 1));
}

bool is_known(Backoff::Kind kind) { return kind == Backoff::Kind::constant || kind == Backoff::Kind::exponential; }

// Throws Damaged for what no version of this record can hold.
void check(const JobHeader& header) {
  const auto number = [](auto value) { return static_cast<unsigned>(value); };
  if (to_string(header.state).empty()) base::fail<Damaged>("a job's record names state {}", number(header.state));
  if (!is_known(header.backoff_kind))
    base::fail<Damaged>("a job's record names backoff {}", number(header.backoff_kind));
  if ((header.flags & ~kKnownFlags) != 0) base::fail<Damaged>("a job's record has unknown flags {:#x}", header.flags);
  if (header.backoff_jitter_permille > 1000) {
    base::fail<Damaged>("a job's record has a jitter of {} permille", header.backoff_jitter_permille);
  }
}

// Leaves the reader at the first section.
JobHeader decode(base::ByteReader& reader, SectionSizes& sizes) {
  const std::size_t size = reader.rest().size();
  const auto version = reader.le<std::uint8_t>();
  if (reader.ok() && version != kJobRecordVersion) {
    base::fail<Damaged>("a job's record is of version {}, which is not known", version);
  }
  std::array<char, kFieldsBytes> bytes{};
  if (!read_packed(reader, bytes)) base::fail<Damaged>("a job's record of {} bytes has no whole header", size);
  JobHeader header;
  visit(FieldReader(bytes.data()), header, sizes);
  check(header);
  const std::string_view rest = reader.rest();
  if (rest.size() < sizes.sum() || !is_zero(rest.substr(sizes.sum()))) {
    base::fail<Damaged>("a job's record has {} bytes behind its header, its sections take {}", rest.size(),
                        sizes.sum());
  }
  return header;
}

// By the bits that stand for them.
constexpr std::array<std::string_view, 4> kCodecs = {"raw", "cereal", "json", "command"};

// Takes the codec out of the details, if it has bits.
void codec_to_header(JobHeader& header, unsigned shift, std::string& codec) {
  std::uint32_t bits = 0;
  for (std::uint32_t i = 1; i < kCodecs.size(); ++i) {
    if (codec == kCodecs[i]) bits = i;
  }
  header.flags = (header.flags & ~(3u << shift)) | bits << shift;
  if (bits != 0) codec = kCodecs[0];
}

void codec_from_header(const JobHeader& header, unsigned shift, std::string& codec) {
  const std::uint32_t bits = header.flags >> shift & 3;
  if (bits != 0) codec = kCodecs[bits];
}

}  // namespace

std::string encode_details(JobHeader& header, const JobDetails& details) {
  JobDetails rest = details;
  codec_to_header(header, kPayloadCodecShift, rest.payload_codec);
  codec_to_header(header, kResultCodecShift, rest.result_codec);
  return pack(rest);
}

JobDetails decode_details(const JobHeader& header, std::string_view section) {
  JobDetails details = unpack_details(section);
  codec_from_header(header, kPayloadCodecShift, details.payload_codec);
  codec_from_header(header, kResultCodecShift, details.result_codec);
  return details;
}

std::string encode(const JobRecord& record, std::size_t room) {
  const SectionSizes sizes{section_size(record.details), section_size(record.payload), section_size(record.result),
                           section_size(record.error)};
  std::array<char, kFieldsBytes> fields;
  FieldWriter writer(fields.data());
  visit(writer, record.header, sizes);
  std::string bytes(1, static_cast<char>(kJobRecordVersion));
  bytes.reserve(2 * kFieldsBytes + sizes.sum() + room);
  append_packed(bytes, {fields.data(), fields.size()});
  return bytes.append(record.details)
      .append(record.payload)
      .append(record.result)
      .append(record.error)
      .append(room, '\0');
}

JobRecord decode_job(std::string_view bytes) {
  SectionSizes sizes;
  JobRecord record;
  base::ByteReader sections(bytes);
  record.header = decode(sections, sizes);
  record.details = sections.take(sizes.details);
  record.payload = sections.take(sizes.payload);
  record.result = sections.take(sizes.result);
  record.error = sections.take(sizes.error);
  return record;
}

JobHeader decode_job_header(std::string_view bytes) {
  SectionSizes sizes;
  base::ByteReader reader(bytes);
  return decode(reader, sizes);
}

}  // namespace tq::model
