#include "base/crc.hpp"

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace tq::base;

namespace {

// The vectors of RFC 3720, appendix B.4, as numbers (the RFC lists their bytes in the order on the wire).
struct Vector {
  std::string bytes;
  std::uint32_t crc;
};

std::string count(int first, int step) {
  std::string bytes;
  for (int i = 0; i < 32; ++i) bytes.push_back(static_cast<char>(first + i * step));
  return bytes;
}

std::string iscsi_read_command() {
  std::string bytes(48, '\0');
  const auto put = [&bytes](std::size_t at, std::initializer_list<int> values) {
    for (const int value : values) bytes[at++] = static_cast<char>(value);
  };
  put(0, {0x01, 0xc0});
  put(16, {0x14, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00, 0x14, 0x00, 0x00, 0x00, 0x18, 0x28});
  put(40, {0x02});
  return bytes;
}

const std::vector<Vector> kVectors = {
    {std::string(32, '\0'), 0x8a9136aa},
    {std::string(32, '\xff'), 0x62a8ab43},
    {count(0, 1), 0x46dd794e},
    {count(31, -1), 0x113fdb5c},
    {iscsi_read_command(), 0xd9963a56},
    {"123456789", 0xe3069283},  // not of the RFC: the check value of the catalogues
    {"", 0},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(base_crc)

BOOST_AUTO_TEST_CASE(the_vectors_of_the_rfc_come_out) {
  for (const Vector& vector : kVectors) {
    BOOST_TEST(crc32c(vector.bytes) == vector.crc);
    BOOST_TEST(crc32c_portable(vector.bytes) == vector.crc);
  }
}

BOOST_AUTO_TEST_CASE(the_instruction_and_the_portable_code_agree) {
  tq::test::Random random;
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = random.bytes(70);
    const auto seed = random.any<std::uint32_t>();
    BOOST_REQUIRE_EQUAL(crc32c(bytes, seed), crc32c_portable(bytes, seed));
  }
}

BOOST_AUTO_TEST_CASE(the_checksum_of_parts_is_that_of_the_whole) {
  tq::test::Random random;
  const std::string whole = "a record of some length, cut in two at each place" + random.bytes(40);
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const std::string_view text = whole;
    BOOST_REQUIRE_EQUAL(crc32c(text.substr(cut), crc32c(text.substr(0, cut))), crc32c(whole));
    BOOST_REQUIRE_EQUAL(crc32c_portable(text.substr(cut), crc32c_portable(text.substr(0, cut))), crc32c(whole));
  }
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_changes_the_checksum) {
  std::string bytes = "payload and header";
  const std::uint32_t crc = crc32c(bytes);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const char flip = static_cast<char>(1 << (bit % 8));
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flip);
    BOOST_REQUIRE_NE(crc32c(bytes), crc);
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ flip);
  }
}

BOOST_AUTO_TEST_SUITE_END()
