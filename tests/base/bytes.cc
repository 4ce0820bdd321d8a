#include "base/bytes.hpp"

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace tq::base;
using namespace std::string_view_literals;

BOOST_AUTO_TEST_SUITE(base_bytes)

BOOST_AUTO_TEST_CASE(fields_are_written_with_the_least_byte_first) {
  std::string out;
  append_le<std::uint8_t>(out, 0x01);
  append_le<std::uint16_t>(out, 0x0203);
  append_le<std::uint32_t>(out, 0x04050607);
  append_le<std::uint64_t>(out, 0x08090a0b0c0d0e0f);
  BOOST_TEST(out == "\x01\x03\x02\x07\x06\x05\x04\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08"sv);
}

BOOST_AUTO_TEST_CASE(big_endian_fields_sort_as_their_numbers_do) {
  std::string out;
  append_be<std::uint32_t>(out, 0x01020304);
  BOOST_TEST(out == "\x01\x02\x03\x04"sv);

  tq::test::Random random;
  for (int i = 0; i < 1000; ++i) {
    const auto a = random.any<std::uint64_t>();
    const auto b = random.any<std::uint64_t>();
    std::string a_bytes, b_bytes;
    append_be(a_bytes, a);
    append_be(b_bytes, b);
    BOOST_REQUIRE_EQUAL(a < b, a_bytes < b_bytes);
  }
}

BOOST_AUTO_TEST_CASE(what_was_written_is_read_back) {
  tq::test::Random random;
  for (int i = 0; i < 1000; ++i) {
    const auto a = random.any<std::uint8_t>();
    const auto b = random.any<std::uint16_t>();
    const auto c = random.any<std::uint32_t>();
    const auto d = random.any<std::uint64_t>();
    const std::string text = random.bytes(20);
    std::string out;
    append_le(out, a);
    append_be(out, b);
    append_le(out, c);
    append_be(out, d);
    out += text;
    ByteReader reader(out);
    BOOST_REQUIRE_EQUAL(reader.le<std::uint8_t>(), a);
    BOOST_REQUIRE_EQUAL(reader.be<std::uint16_t>(), b);
    BOOST_REQUIRE_EQUAL(reader.le<std::uint32_t>(), c);
    BOOST_REQUIRE_EQUAL(reader.be<std::uint64_t>(), d);
    BOOST_REQUIRE_EQUAL(reader.rest(), text);
    BOOST_REQUIRE_EQUAL(reader.take(text.size()), text);
    BOOST_REQUIRE(reader.done());
  }
}

BOOST_AUTO_TEST_CASE(a_read_past_the_end_gives_zeros_from_then_on) {
  ByteReader reader("\x01\x02\x03"sv);
  BOOST_TEST(reader.le<std::uint32_t>() == 0u);
  BOOST_TEST(!reader.ok());
  BOOST_TEST(reader.le<std::uint8_t>() == 0u);
  BOOST_TEST(reader.take(0) == "");
  BOOST_TEST(reader.rest() == "");
  BOOST_TEST(!reader.ok());
  BOOST_TEST(!reader.done());
}

BOOST_AUTO_TEST_CASE(bytes_that_are_left_over_are_not_done) {
  ByteReader reader("\x01\x02"sv);
  reader.le<std::uint8_t>();
  BOOST_TEST(reader.ok());
  BOOST_TEST(!reader.done());
  reader.le<std::uint8_t>();
  BOOST_TEST(reader.done());
}

BOOST_AUTO_TEST_SUITE_END()
