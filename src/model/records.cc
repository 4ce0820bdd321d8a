#include "model/records.hpp"

#include "base/fail.hpp"
#include "model/fields.hpp"

#include <array>
#include <span>

namespace tq::model {
namespace {

constexpr std::uint8_t kVersion = 1;  // of each of these records

// The orders of the bytes on disk: never change one, make a new version.
template <class Visit, class Record>
constexpr void visit_queue(Visit&& field, Record& r) {
  field(r.paused), field(r.max_size);
  for (std::size_t state = 1; state < kStateCount; ++state) field(r.count[state]);
}

template <class Visit, class Record>
constexpr void visit_event(Visit&& field, Record& r) {
  field(r.time_ms), field(r.type), field(r.attempt), field(r.queue), field(r.job), field(r.worker), field(r.previous);
  field(r.fraction_ppm);
}

template <class Visit, class Record>
constexpr void visit_log(Visit&& field, Record& r) {
  field(r.time_ms), field(r.attempt), field(r.stream);
}

template <class Visit, class Record>
constexpr void visit_totals(Visit&& field, Record& r) {
  field(r.next_job), field(r.next_event), field(r.next_worker), field(r.next_queue), field(r.next_task);
  field(r.enqueued), field(r.attempts), field(r.succeeded), field(r.failed), field(r.cancelled), field(r.expired);
  field(r.crashes);
}

constexpr std::size_t kMostFieldsBytes = 128;

// A record of fixed fields and a tail of any length.
template <class Visit>
std::string encode(Visit visit, std::string_view tail) {
  const std::size_t size = fields_size(visit);
  std::array<char, kMostFieldsBytes> fields;
  TQ_ASSERT(size <= fields.size());
  FieldWriter writer(fields.data());
  visit(writer);
  std::string bytes(1, static_cast<char>(kVersion));
  bytes.reserve(2 * kMostFieldsBytes + tail.size());
  append_packed(bytes, {fields.data(), size});
  return bytes.append(tail);
}

// Reads the fixed fields and returns the tail.
template <class Visit>
std::string_view decode(std::string_view what, std::string_view bytes, Visit visit) {
  base::ByteReader reader(bytes);
  const auto version = reader.le<std::uint8_t>();
  if (reader.ok() && version != kVersion) {
    base::fail<Damaged>("{} record is of version {}, which is not known", what, version);
  }
  std::array<char, kMostFieldsBytes> fields{};
  const std::size_t size = fields_size(visit);
  const bool is_whole = read_packed(reader, std::span(fields).first(size));
  visit(FieldReader(fields.data()));
  if (!is_whole) base::fail<Damaged>("{} record of {} bytes is not whole", what, bytes.size());
  return reader.rest();
}

}  // namespace

std::uint64_t QueueRecord::unfinished() const {
  std::uint64_t sum = 0;
  for (std::size_t state = 1; state < kStateCount; ++state) {
    if (!is_final(static_cast<State>(state))) sum += count[state];
  }
  return sum;
}

std::string encode(const QueueRecord& record) {
  return encode([&record](auto&& field) { visit_queue(field, record); }, record.name);
}

QueueRecord decode_queue(std::string_view bytes) {
  QueueRecord record;
  record.name = decode("a queue's", bytes, [&record](auto&& field) { visit_queue(field, record); });
  return record;
}

std::string encode(const EventRecord& record) {
  return encode([&record](auto&& field) { visit_event(field, record); }, record.text);
}

EventRecord decode_event(std::string_view bytes) {
  EventRecord record;
  record.text = decode("an event's", bytes, [&record](auto&& field) { visit_event(field, record); });
  const bool is_known = !to_string(record.type).empty();
  if (!is_known) base::fail<Damaged>("an event's record names type {}", static_cast<unsigned>(record.type));
  return record;
}

std::string encode(const LogRecord& record) {
  return encode([&record](auto&& field) { visit_log(field, record); }, record.bytes);
}

LogRecord decode_log(std::string_view bytes) {
  LogRecord record;
  record.bytes = decode("an output's", bytes, [&record](auto&& field) { visit_log(field, record); });
  if (record.stream < Stream::out || record.stream > Stream::note) {
    base::fail<Damaged>("an output's record names stream {}", static_cast<unsigned>(record.stream));
  }
  return record;
}

std::string encode(const Totals& record) {
  return encode([&record](auto&& field) { visit_totals(field, record); }, {});
}

Totals decode_totals(std::string_view bytes) {
  Totals record;
  const std::string_view rest = decode("the totals'", bytes, [&record](auto&& field) { visit_totals(field, record); });
  if (!rest.empty()) base::fail<Damaged>("the totals' record is {} bytes too long", rest.size());
  return record;
}

}  // namespace tq::model
