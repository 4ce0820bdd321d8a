#include "model/fields.hpp"

#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

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
  base::ByteReader reader(bytes);
  Sample sample;
  visit([&reader](auto& field) { read_field(reader, field); }, sample);
  return sample;
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

BOOST_AUTO_TEST_SUITE_END()
