#include "model/job_record.hpp"

#include "bit_flips.hpp"
#include "packing.hpp"
#include "support/message_of.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace tq;
using namespace tq::model;
using namespace std::string_literals;

namespace {

JobHeader random_header(test::Random& random) {
  JobHeader h;
  h.state = static_cast<State>(1 + random.below(kStateCount - 1));
  h.backoff_kind = random.chance(50) ? Backoff::Kind::constant : Backoff::Kind::exponential;
  h.backoff_jitter_permille = static_cast<std::uint16_t>(random.below(1001));
  h.flags = static_cast<std::uint32_t>(random.below(1u << (kResultCodecShift + 2)));
  h.priority = random.any<std::int32_t>();
  h.exit_code = random.any<std::int32_t>();
  for (std::uint32_t* field : {&h.queue, &h.task, &h.run, &h.attempt, &h.max_retries, &h.crashes}) {
    *field = random.any<std::uint32_t>();
  }
  for (std::int64_t* field : {&h.enqueued_ms, &h.due_ms, &h.started_ms, &h.finished_ms, &h.expires_ms, &h.timeout_ms,
                              &h.keep_until_ms, &h.result_ttl_ms, &h.backoff_base_ms, &h.backoff_cap_ms}) {
    *field = random.any<std::int64_t>();
  }
  for (std::uint64_t* field : {&h.worker, &h.last_event, &h.log_next, &h.log_bytes, &h.log_head_bytes,
                               &h.log_dropped_bytes, &h.log_dropped_after}) {
    *field = random.any<std::uint64_t>();
  }
  return h;
}

JobRecord random_record(test::Random& random) {
  return {random_header(random), random.bytes(60), random.bytes(1024), random.bytes(1024), random.text(200)};
}

std::string sample() {
  JobRecord record;
  record.details = "details";
  record.payload = "payload";
  record.result = "result";
  record.error = "error";
  return encode(record);
}

constexpr std::size_t kFieldsBytes = 192;  // without the version

// The version and the fields, not packed, and the sections behind them.
std::string unpacked(std::string record) {
  const std::string version = record.substr(0, 1);
  record.erase(0, 1);
  const std::string fields = test::unpacked(record, kFieldsBytes);
  return version + fields + record;
}
std::string packed(const std::string& bytes) {
  return bytes.substr(0, 1) + test::packed(bytes.substr(1, kFieldsBytes)) + bytes.substr(1 + kFieldsBytes);
}

std::string refusal_of(const std::string& bytes) {
  const std::string of_header = test::message_of<Damaged>([&] { decode_job_header(bytes); });
  BOOST_TEST(test::message_of<Damaged>([&] { decode_job(bytes); }) == of_header);
  return of_header;
}

std::string with_byte(const std::string& record, std::size_t at, int value) {
  std::string bytes = unpacked(record);
  bytes.at(at) = static_cast<char>(value);
  return packed(bytes);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_job_record)

BOOST_AUTO_TEST_CASE(a_record_comes_back_as_it_was) {
  test::Random random;
  for (int i = 0; i < 5000; ++i) {
    const JobRecord record = random_record(random);
    const std::string bytes = encode(record);
    BOOST_REQUIRE_EQUAL(unpacked(bytes).size(), 1 + kFieldsBytes + record.details.size() + record.payload.size() +
                                                    record.result.size() + record.error.size());
    BOOST_REQUIRE(decode_job(bytes) == record);
    BOOST_REQUIRE(decode_job_header(bytes) == record.header);
  }
}

BOOST_AUTO_TEST_CASE(empty_sections_and_nul_bytes_come_back_as_they_were) {
  JobRecord record;
  BOOST_TEST((decode_job(encode(record)) == record));
  record.payload = "\0a\0"s;
  record.result = "\0"s;
  BOOST_TEST((decode_job(encode(record)) == record));
}

BOOST_AUTO_TEST_CASE(room_to_grow_is_zeros_behind_it) {
  test::Random random;
  const JobRecord record = random_record(random);
  BOOST_TEST(encode(record, 50) == encode(record) + std::string(50, '\0'));
  BOOST_TEST((decode_job(encode(record, 50)) == record));
}

// The layout that stores on disk have. If this fails, it is a new version and old ones must still be read.
BOOST_AUTO_TEST_CASE(the_bytes_on_disk_are_those_of_version_1) {
  JobRecord record;
  JobHeader& h = record.header;
  h = {State::retrying, Backoff::Kind::constant, 0x0102, 0x1f, 0x11, 0x12, -2, 0x13, 0x14, 0x15, 0x16, -1};
  h.enqueued_ms = 0x21;
  h.due_ms = 0x22;
  h.started_ms = 0x23;
  h.finished_ms = 0x24;
  h.expires_ms = 0x25;
  h.timeout_ms = 0x26;
  h.keep_until_ms = 0x27;
  h.result_ttl_ms = ~0x2a;
  h.backoff_base_ms = 0x28;
  h.backoff_cap_ms = 0x29;
  h.worker = 0x31;
  h.last_event = 0x32;
  h.log_next = 0x33;
  h.log_bytes = 0x34;
  h.log_head_bytes = 0x35;
  h.log_dropped_bytes = 0x36;
  h.log_dropped_after = 0x37;
  record.details = "d";
  record.payload = "pp";
  record.result = "rrr";
  record.error = "eeee";
  const auto u32 = [](char c) { return std::string{c, 0, 0, 0}; };
  const auto u64 = [](char c) { return std::string{c, 0, 0, 0, 0, 0, 0, 0}; };
  std::string expected = "\x01\x05\x01\x02\x01\x1f\0\0\0"s + u32(0x11) + u32(0x12) + "\xfe\xff\xff\xff";
  expected += u32(0x13) + u32(0x14) + u32(0x15) + u32(0x16) + std::string(4, '\xff');
  for (char c = 0x21; c <= 0x27; ++c) expected += u64(c);
  expected += u64(0x2a) + u64(0x28) + u64(0x29);
  for (char c = 0x31; c <= 0x37; ++c) expected += u64(c);
  for (char c = 1; c <= 4; ++c) expected += u32(c);
  BOOST_TEST(expected.size() == 1 + kFieldsBytes);
  BOOST_TEST(encode(record) == packed(expected + "dpprrreeee"));
}

BOOST_AUTO_TEST_CASE(codecs_come_back_and_those_that_nearly_all_have_take_no_bytes) {
  for (const std::string payload : {"raw", "cereal", "json", "command", "of my own"}) {
    for (const std::string result : {"raw", "cereal", "json", "command", "of my own", ""}) {
      const bool is_short = payload != "of my own" && result != "of my own" && !result.empty();
      JobHeader header;
      header.flags = kAhead | 3u << kPayloadCodecShift | 3u << kResultCodecShift;  // as they were before
      const std::string bytes = encode_details(header, {payload, result, {}});
      BOOST_TEST(bytes.empty() == is_short);
      BOOST_TEST(header.has(kAhead));
      const JobDetails details = decode_details(header, bytes);
      BOOST_TEST(details.payload_codec == payload);
      BOOST_TEST(details.result_codec == result);
    }
  }
  JobHeader header;
  const JobDetails labelled{"json", "raw", {"a", "b"}};
  BOOST_TEST((decode_details(header, encode_details(header, labelled)) == labelled));
}

BOOST_AUTO_TEST_CASE(a_version_that_is_not_known_is_damage) {
  BOOST_TEST(refusal_of(with_byte(sample(), 0, 0)) == "a job's record is of version 0, which is not known");
  BOOST_TEST(refusal_of(with_byte(sample(), 0, 2)) == "a job's record is of version 2, which is not known");
}

BOOST_AUTO_TEST_CASE(fields_that_cannot_be_are_damage) {
  BOOST_TEST(refusal_of(with_byte(sample(), 1, 0)) == "a job's record names state 0");
  BOOST_TEST(refusal_of(with_byte(sample(), 1, 11)) == "a job's record names state 11");
  BOOST_TEST(refusal_of(with_byte(sample(), 2, 3)) == "a job's record names backoff 3");
  BOOST_TEST(refusal_of(with_byte(sample(), 4, 4)) == "a job's record has a jitter of 1024 permille");
  BOOST_TEST(refusal_of(with_byte(sample(), 8, 1)) == "a job's record has unknown flags 0x1000000");
}

BOOST_AUTO_TEST_CASE(lengths_that_do_not_add_up_are_damage) {
  const std::string bytes = sample();
  BOOST_TEST(refusal_of("") == "a job's record of 0 bytes has no whole header");
  BOOST_TEST(refusal_of(bytes + "x") == "a job's record has 26 bytes behind its header, its sections take 25");
  for (std::size_t section = 0; section < 4; ++section) {
    const std::size_t last_byte_of_size = 1 + kFieldsBytes - 16 + 4 * section + 3;
    refusal_of(with_byte(bytes, last_byte_of_size, 0xff));
  }
  // All four together are more than 32 bits hold: added up in those, they would seem to fit.
  constexpr std::size_t kEnd = 1 + kFieldsBytes;
  std::string wrapped = unpacked(bytes).substr(0, kEnd);
  for (std::size_t section = 0; section < 4; ++section) wrapped[kEnd - 16 + 4 * section] = 0;
  wrapped[kEnd - 16 + 3] = wrapped[kEnd - 12 + 3] = '\x80';
  refusal_of(packed(wrapped));
  const test::Flipped cut = test::with_each_length(bytes, [](const std::string& part) { decode_job(part); });
  BOOST_TEST(cut.decoded == 0u);
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_refused_or_gives_a_record_that_is_written_the_same) {
  test::Random random;
  const std::string bytes = encode(random_record(random));
  const auto flipped = test::with_each_bit_flipped(
      bytes, [](const std::string& damaged) { BOOST_REQUIRE(encode(decode_job(damaged)) == damaged); });
  BOOST_TEST(flipped.refused > 8u * (1 + 16));  // the version and the lengths at least
  BOOST_TEST(flipped.decoded > 0u);
}

BOOST_AUTO_TEST_CASE(flags_are_set_and_cleared_one_by_one) {
  JobHeader header;
  header.set(kPayloadIsBlob);
  header.set(kHasSaved);
  header.set(kPayloadIsBlob, false);
  BOOST_TEST(!header.has(kPayloadIsBlob));
  BOOST_TEST(header.has(kHasSaved));
  BOOST_TEST(!header.has(kCancelRequested));
}

BOOST_AUTO_TEST_SUITE_END()
