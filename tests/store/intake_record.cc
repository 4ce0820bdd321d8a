#include "store/intake_record.hpp"

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::store {
namespace {

std::string encoded(const IntakeRecord& record) {
  std::string bytes;
  append_record(bytes, record);
  return bytes;
}

const IntakeRecord kRecord{.position = 4096, .number = 17, .synced = 4000, .before = 0x01020304, .bytes = "hello"};

BOOST_AUTO_TEST_SUITE(intake_record)

BOOST_AUTO_TEST_CASE(a_record_comes_back_as_it_was_written) {
  test::Random random;
  for (int i = 0; i < 1000; ++i) {
    const std::string payload = random.bytes(300);
    const IntakeRecord record{.position = random.number(),
                              .number = 1 + random.below(1'000'000),
                              .synced = random.number(),
                              .before = random.any<std::uint32_t>(),
                              .bytes = payload};
    std::string bytes = "before";
    const IntakeEnd end = append_record(bytes, record);
    bytes.erase(0, 6);
    BOOST_TEST(bytes.size() == intake_record_bytes(payload.size()));
    BOOST_TEST(bytes.size() % kIntakeAlign == 0u);
    BOOST_TEST(claimed_bytes(bytes) == bytes.size());
    const std::string more = bytes + "behind";
    const auto read = decode_record(more, record.position);
    BOOST_REQUIRE(read);
    BOOST_TEST(read->number == record.number);
    BOOST_TEST(read->synced == record.synced);
    BOOST_TEST(read->before == record.before);
    BOOST_CHECK(read->bytes == payload);
    BOOST_CHECK(read->end() == end);
    BOOST_TEST(end.position == record.position + bytes.size());
  }
}

BOOST_AUTO_TEST_CASE(its_bytes_are_those_of_the_format) {
  const std::string bytes = encoded(kRecord);
  BOOST_TEST(bytes.size() == 48u);
  BOOST_TEST(bytes.substr(0, 32) ==
             std::string("\x00\x10\0\0\0\0\0\0\x11\0\0\0\0\0\0\0\xa0\x0f\0\0\0\0\0\0\x05\0\0\0\x04\x03\x02\x01", 32));
  BOOST_TEST(bytes.substr(40) == std::string("hello\0\0\0", 8));
}

BOOST_AUTO_TEST_CASE(one_that_belongs_elsewhere_is_none) {
  BOOST_TEST(!decode_record(encoded(kRecord), kRecord.position + 8));
  BOOST_TEST(!decode_record(std::string(4096, '\0'), 4096));
  BOOST_TEST(!decode_record("", 0));
}

BOOST_AUTO_TEST_CASE(any_flipped_bit_of_it_is_noticed) {
  const std::string whole = encoded(kRecord);
  const std::size_t reserved = 36;  // four bytes that mean nothing
  for (std::size_t bit = 0; bit < 45 * 8; ++bit) {
    if (bit / 8 >= reserved && bit / 8 < kIntakeHeadBytes) continue;
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    BOOST_TEST(!decode_record(bytes, kRecord.position), "bit " << bit);
  }
}

BOOST_AUTO_TEST_CASE(one_that_is_cut_off_is_none) {
  const std::string whole = encoded(kRecord);
  for (std::size_t size = 0; size < 45; ++size) {
    BOOST_TEST(!decode_record(whole.substr(0, size), kRecord.position), size << " bytes");
  }
}

BOOST_AUTO_TEST_CASE(a_filler_takes_what_it_is_told_and_has_no_number) {
  for (const std::uint64_t size : {40u, 48u, 4096u}) {
    std::string bytes;
    const IntakeEnd end = append_filler(bytes, 800, 0, 5, size);
    BOOST_TEST(bytes.size() == size);
    BOOST_TEST(end.position == 800 + size);
    const auto read = decode_record(bytes, 800);
    BOOST_REQUIRE(read);
    BOOST_TEST(read->number == 0u);
    BOOST_CHECK(read->end() == end);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
