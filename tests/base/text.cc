#include "base/text.hpp"

#include "base/fail.hpp"
#include "support/message_of.hpp"
#include "support/random.hpp"

#include <tq/types.hpp>

#include <boost/test/unit_test.hpp>

#include <optional>

using namespace tq;
using namespace tq::base;
using namespace std::string_literals;

namespace {

std::string utf8(std::uint32_t point) {
  const auto byte = [](std::uint32_t value) { return static_cast<char>(value); };
  const auto tail = [point](int shift) { return static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) return {byte(point)};
  if (point < 0x800) return {byte(0xc0 | (point >> 6)), tail(0)};
  if (point < 0x10000) return {byte(0xe0 | (point >> 12)), tail(6), tail(0)};
  return {byte(0xf0 | (point >> 18)), tail(12), tail(6), tail(0)};
}

bool is_character(std::uint32_t point) { return point <= 0x10ffff && (point < 0xd800 || point > 0xdfff); }

// Another way to the same answer: puts the bits together whatever they are, and looks whether they come apart the same.
bool is_utf8_by_definition(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t i = 0;
  while (i < text.size()) {
    const std::uint32_t first = at(i);
    const std::size_t length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (i + length > text.size()) return false;
    std::uint32_t point = length == 1 ? first : first & (0x7fu >> length);
    for (std::size_t k = 1; k < length; ++k) point = (point << 6) | (at(i + k) & 0x3fu);
    if (!is_character(point) || utf8(point) != text.substr(i, length)) return false;
    i += length;
  }
  return true;
}

std::string refusal_of(std::string_view name) {
  return test::message_of<InvalidArgument>([name] { check_name("queue", name); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(base_text)

// --- is_utf8 ---

BOOST_AUTO_TEST_CASE(every_character_of_unicode_is_utf8_and_no_surrogate_is) {
  for (std::uint32_t point = 0; point <= 0x110fff; ++point) {
    BOOST_REQUIRE_EQUAL(is_utf8(utf8(point)), is_character(point));
  }
}

BOOST_AUTO_TEST_CASE(of_any_two_bytes_those_are_utf8_that_the_definition_takes) {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string bytes = {static_cast<char>(first), static_cast<char>(second)};
      BOOST_REQUIRE_EQUAL(is_utf8(bytes), is_utf8_by_definition(bytes));
    }
  }
}

BOOST_AUTO_TEST_CASE(of_random_bytes_those_are_utf8_that_the_definition_takes) {
  test::Random random;
  int accepted = 0;
  for (int i = 0; i < 200000; ++i) {
    std::string bytes = utf8(static_cast<std::uint32_t>(random.below(0x110000)));
    bytes += utf8(static_cast<std::uint32_t>(random.below(0x1000)));
    if (random.chance(80)) {
      char& c = bytes[random.below(bytes.size())];
      c = static_cast<char>(c ^ (1 << random.below(8)));
    }
    BOOST_REQUIRE_EQUAL(is_utf8(bytes), is_utf8_by_definition(bytes));
    if (is_utf8(bytes)) ++accepted;
  }
  BOOST_TEST(accepted > 20000);
  BOOST_TEST(accepted < 180000);
}

BOOST_AUTO_TEST_CASE(overlong_forms_surrogates_and_cut_characters_are_not_utf8) {
  BOOST_TEST(!is_utf8("\xc0\x80"));
  BOOST_TEST(!is_utf8("\xc1\xbf"));
  BOOST_TEST(!is_utf8("\xe0\x9f\xbf"));
  BOOST_TEST(!is_utf8("\xed\xa0\x80"));
  BOOST_TEST(!is_utf8("\xf0\x8f\xbf\xbf"));
  BOOST_TEST(!is_utf8("\xf4\x90\x80\x80"));
  BOOST_TEST(!is_utf8("\xf5\x80\x80\x80"));
  BOOST_TEST(!is_utf8("\xe2\x82"));
  BOOST_TEST(!is_utf8(std::string_view("\xe2\x82\xac").substr(0, 2)));  // what follows is not looked at
  BOOST_TEST(!is_utf8("\x80"));
  BOOST_TEST(is_utf8(""));
  BOOST_TEST(is_utf8("\0"s));
}

BOOST_AUTO_TEST_CASE(a_bad_byte_is_found_wherever_it_is_in_ascii) {
  for (std::size_t size = 1; size <= 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string bytes(size, 'a');
      BOOST_REQUIRE(is_utf8(bytes));
      bytes[at] = '\x80';
      BOOST_REQUIRE(!is_utf8(bytes));
    }
  }
}

// --- check_name ---

BOOST_AUTO_TEST_CASE(a_name_is_any_text_up_to_the_limit) {
  check_name("queue", "a");
  check_name("queue", "images/thumbnails 2x");
  check_name("queue", "f\xc3\xa4rben");
  check_name("queue", std::string(kMaxNameBytes, 'x'));
}

BOOST_AUTO_TEST_CASE(a_bad_name_is_refused_with_what_it_names_and_why) {
  BOOST_TEST(refusal_of("") == "the queue name is empty: it takes 1 to 128 bytes");
  BOOST_TEST(refusal_of(std::string(129, 'x')) == "the queue name has 129 bytes: at most 128 are allowed");
  BOOST_TEST(refusal_of("\xff") == "the queue name is not UTF-8");
  BOOST_TEST(refusal_of(" a") == "the queue name ' a' begins or ends with a space");
  BOOST_TEST(refusal_of("a ") == "the queue name 'a ' begins or ends with a space");
  BOOST_TEST(refusal_of("a,b") == "the queue name 'a,b' has a comma, which separates names in a list");
}

BOOST_AUTO_TEST_CASE(control_characters_are_refused_and_never_shown) {
  for (const std::string& name : {"a\0b"s, "a\n"s, "\t"s, "a\x1b[31m"s, "a\x7f"s, "a\xc2\x9b"s, "a\xc2\x80"s}) {
    BOOST_TEST(refusal_of(name) == "the queue name has a control character");
  }
  check_name("queue", "a\xc2\xa0z");  // a no-break space is none
}

// --- shorten ---

BOOST_AUTO_TEST_CASE(text_that_fits_stays_as_it_is) {
  BOOST_TEST(shorten("", 0) == "");
  BOOST_TEST(shorten("", 10) == "");
  BOOST_TEST(shorten("0123456789", 10) == "0123456789");
  BOOST_TEST(shorten("f\xc3\xa4r", 4) == "f\xc3\xa4r");
  BOOST_TEST(shorten("a\0b"s, 3) == "a\0b"s);
}

BOOST_AUTO_TEST_CASE(longer_text_is_cut_at_a_character_and_marked) {
  BOOST_TEST(shorten("0123456789x", 10) == "0123456...");
  BOOST_TEST(shorten("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 7) == "\xc3\xa4\xc3\xa4...");
  BOOST_TEST(shorten("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 6) == "\xc3\xa4...");
  BOOST_TEST(shorten("abcdef", 3) == "...");
  BOOST_TEST(shorten("abcdef", 2) == "..");
  BOOST_TEST(shorten("abcdef", 0) == "");
}

BOOST_AUTO_TEST_CASE(each_byte_that_is_not_utf8_becomes_the_replacement_character) {
  BOOST_TEST(shorten("a\xff"s + "b", 10) == "a\xef\xbf\xbd"s + "b");
  BOOST_TEST(shorten("\xe2\x82", 10) == "\xef\xbf\xbd\xef\xbf\xbd");
  BOOST_TEST(shorten("\xff\xff\xff", 8) == "\xef\xbf\xbd...");
}

BOOST_AUTO_TEST_CASE(whatever_is_shortened_is_utf8_within_the_limit) {
  test::Random random;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = random.bytes(12);
    if (random.chance(50)) bytes += utf8(static_cast<std::uint32_t>(random.below(0xd800))) + random.text(12);
    const std::size_t limit = random.below(30);
    const std::string short_text = shorten(bytes, limit);
    BOOST_REQUIRE_LE(short_text.size(), limit);
    BOOST_REQUIRE(is_utf8(short_text));
    if (is_utf8(bytes) && bytes.size() <= limit) BOOST_REQUIRE_EQUAL(short_text, bytes);
  }
}

// --- nearest ---

BOOST_AUTO_TEST_CASE(a_slip_of_the_finger_finds_its_word) {
  const std::vector<std::string_view> verbs = {"add", "cancel", "worker", "queue", "stats", "status"};
  BOOST_TEST(nearest("wroker", verbs) == "worker");   // two swapped
  BOOST_TEST(nearest("wrker", verbs) == "worker");    // one missing
  BOOST_TEST(nearest("woorker", verbs) == "worker");  // one too many
  BOOST_TEST(nearest("cancal", verbs) == "cancel");   // another one
  BOOST_TEST(nearest("ad", verbs) == "add");
  BOOST_TEST(nearest("queue", verbs) == "queue");
}

BOOST_AUTO_TEST_CASE(two_swapped_count_as_one_slip) {
  BOOST_TEST(nearest("sl", {"ls"}) == "ls");  // a third of two, rounded up, is one
  BOOST_TEST(nearest("xl", {"ls"}) == "");
}

BOOST_AUTO_TEST_CASE(a_word_that_is_too_different_finds_nothing) {
  BOOST_TEST(nearest("banana", {"worker", "queue"}) == "");
  BOOST_TEST(nearest("", {"a", "worker"}) == "");
  BOOST_TEST(nearest("worker", {}) == "");
  BOOST_TEST(nearest(std::string(100000, 'x'), {"worker"}) == "");
}

BOOST_AUTO_TEST_CASE(the_nearest_wins_and_of_equals_the_first) {
  BOOST_TEST(nearest("statsu", {"stats", "status"}) == "stats");
  BOOST_TEST(nearest("statuss", {"stats", "status"}) == "status");
  BOOST_TEST(nearest("caz", {"cat", "car"}) == "cat");
}

BOOST_AUTO_TEST_SUITE_END()
