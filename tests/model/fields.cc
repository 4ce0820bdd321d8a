#include "model/fields.hpp"

#include "packing.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <vector>

using namespace tq;
using namespace tq::model;
using namespace std::string_view_literals;

namespace {

enum class Kind : std::uint8_t { one = 1 };

struct Sample {
  bool flag = false;
  Kind kind{};
  std::int16_t small = 0;
  std::uint32_t medium = 0;
  std::int64_t large = 0;
  bool operator==(const Sample&) const = default;
};

template <class Visit, class Record>
constexpr void visit(Visit&& field, Record& r) {
  field(r.flag), field(r.kind), field(r.small), field(r.medium), field(r.large);
}

constexpr std::size_t kSampleBytes = fields_size([](auto&& field) {
  Sample sample;
  visit(field, sample);
});

std::string write(const Sample& sample) {
  std::string bytes(kSampleBytes, '\0');
  FieldWriter writer(bytes.data());
  visit(writer, sample);
  return bytes;
}

Sample read(std::string_view bytes) {
  Sample sample;
  visit(FieldReader(bytes.data()), sample);
  return sample;
}

// Half of them zero.
std::string random_bytes(test::Random& random, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += random.chance(50) ? '\0' : random.any<char>();
  return bytes;
}

std::string pack(std::string_view bytes) {
  std::string out = "before";
  append_packed(out, bytes);
  BOOST_REQUIRE(out.starts_with("before"));
  return out.substr(6);
}

// What is read of it, if it can be; `rest` is what must be left.
std::optional<std::string> unpack(std::string_view packed, std::size_t size, std::string_view rest = {}) {
  std::string bytes(size, '\0');
  base::ByteReader reader(packed);
  if (!read_packed(reader, bytes)) return std::nullopt;
  BOOST_REQUIRE(reader.rest() == rest);
  return bytes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_fields)

BOOST_AUTO_TEST_CASE(fields_lie_side_by_side_without_gaps) { BOOST_TEST(kSampleBytes == 1u + 1 + 2 + 4 + 8); }

BOOST_AUTO_TEST_CASE(fields_are_little_endian_two_s_complement_numbers) {
  const Sample sample{true, Kind::one, -2, 0x01020304, -1};
  BOOST_TEST(write(sample) == "\x01\x01\xfe\xff\x04\x03\x02\x01\xff\xff\xff\xff\xff\xff\xff\xff"sv);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  test::Random random;
  for (int i = 0; i < 1000; ++i) {
    const Sample sample{random.chance(50), static_cast<Kind>(random.any<std::uint8_t>()), random.any<std::int16_t>(),
                        random.any<std::uint32_t>(), random.any<std::int64_t>()};
    BOOST_REQUIRE(read(write(sample)) == sample);
  }
}

BOOST_AUTO_TEST_CASE(any_byte_but_zero_is_true) {
  std::string bytes(kSampleBytes, '\0');
  bytes[0] = 2;
  BOOST_TEST(read(bytes).flag);
}

BOOST_AUTO_TEST_CASE(packing_leaves_out_the_zeros_and_says_where_they_were) {
  test::Random random;
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = random_bytes(random, random.below(30));
    const std::string packed = pack(bytes);
    BOOST_REQUIRE(packed == test::packed(bytes));
    BOOST_REQUIRE(unpack(packed, bytes.size()) == bytes);
    BOOST_REQUIRE(unpack(packed + "behind it", bytes.size(), "behind it") == bytes);
  }
}

BOOST_AUTO_TEST_CASE(what_has_been_cut_is_not_unpacked) {
  test::Random random;
  for (int i = 0; i < 500; ++i) {
    const std::string bytes = random_bytes(random, 1 + random.below(30));
    const std::string packed = pack(bytes);
    for (std::size_t size = 0; size < packed.size(); ++size) {
      // Of its own, so that a sanitizer sees a read behind it.
      const std::vector<char> cut(packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(size));
      BOOST_REQUIRE(!unpack({cut.data(), cut.size()}, bytes.size()));
    }
  }
}

BOOST_AUTO_TEST_CASE(bytes_have_one_way_to_be_packed) {
  BOOST_TEST(unpack("\x03\x01\x02"sv, 8).has_value());
  BOOST_TEST(!unpack("\x03\x01\x00"sv, 8).has_value());  // a zero among what is not zero
  BOOST_TEST(unpack("\x03\x01\x02"sv, 2).has_value());
  BOOST_TEST(!unpack("\x05\x01\x02"sv, 2).has_value());  // a byte behind the last one
  BOOST_TEST(!unpack("\x00\x80\x01"sv, 15).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
