#include "base/time_text.hpp"

#include "base/clock.hpp"
#include "base/fail.hpp"
#include "support/fake_clock.hpp"
#include "support/message_of.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <ctime>

using namespace tq;
using namespace tq::base;
using namespace std::chrono_literals;

namespace {

std::string duration_refusal(std::string_view text) {
  return test::message_of<InvalidArgument>([text] { parse_duration(text); });
}

std::string time_refusal(std::string_view text) {
  return test::message_of<InvalidArgument>([text] { parse_time(text, test::kStart); });
}

Time utc(std::string_view text) { return parse_time(text, test::kStart); }

// What parse_time makes of `text`, spelled in UTC.
std::string at(std::string_view text, std::string_view now) { return format_time(parse_time(text, utc(now))); }

// Local time by a rule of POSIX, so that no database of zones is needed.
class Zone {
 public:
  explicit Zone(const char* rule) {
    if (const char* const old = std::getenv("TZ")) old_ = old;
    ::setenv("TZ", rule, 1);
    ::tzset();
  }
  ~Zone() {
    old_.empty() ? ::unsetenv("TZ") : ::setenv("TZ", old_.c_str(), 1);
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  std::string old_;
};
constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";

}  // namespace

BOOST_AUTO_TEST_SUITE(base_time_text)

// --- durations ---

BOOST_AUTO_TEST_CASE(a_duration_is_numbers_with_units) {
  BOOST_TEST((parse_duration("500ms") == 500ms));
  BOOST_TEST((parse_duration("10s") == 10s));
  BOOST_TEST((parse_duration("5m") == 5min));
  BOOST_TEST((parse_duration("2h") == 2h));
  BOOST_TEST((parse_duration("3d") == 72h));
  BOOST_TEST((parse_duration("0s") == 0ms));
  BOOST_TEST((parse_duration("007s") == 7s));
  BOOST_TEST((parse_duration("1h30m") == 90min));
  BOOST_TEST((parse_duration("1d2h3m4s5ms") == 26h + 3min + 4s + 5ms));
  BOOST_TEST((parse_duration("100h") == 100h));
}

BOOST_AUTO_TEST_CASE(a_bad_duration_is_refused_with_what_would_be_right) {
  const std::string right = "write 500ms, 10s, 5m, 2h, 3d or several in a row (1h30m)";
  BOOST_TEST(duration_refusal("") == "the duration is empty: " + right);
  BOOST_TEST(duration_refusal("-5s") == "'-5s' is no duration: it must not be negative");
  BOOST_TEST(duration_refusal("5") == "'5' is no duration: the unit is missing: write 5s or 5m");
  BOOST_TEST(duration_refusal("1.5h") == "'1.5h' is no duration: only whole numbers are allowed: write 1h30m");
  BOOST_TEST(duration_refusal("0.25s") == "'0.25s' is no duration: only whole numbers are allowed: write 250ms");
  BOOST_TEST(duration_refusal("1.5") == "'1.5' is no duration: only whole numbers are allowed: " + right);
  BOOST_TEST(duration_refusal("10 s") == "'10 s' is no duration: ' s' is no unit: " + right);
  BOOST_TEST(duration_refusal("5min") == "'5min' is no duration: 'min' is no unit: " + right);
  BOOST_TEST(duration_refusal("5M") == "'5M' is no duration: 'M' is no unit: " + right);
  BOOST_TEST(duration_refusal("s") == "'s' is no duration: " + right);
  BOOST_TEST(duration_refusal(" 5s") == "' 5s' is no duration: " + right);
  BOOST_TEST(duration_refusal("5s ") == "'5s ' is no duration: 's ' is no unit: " + right);
  BOOST_TEST(duration_refusal("30m1h") == "'30m1h' is no duration: the larger unit comes first: " + right);
  BOOST_TEST(duration_refusal("5m5m") == "'5m5m' is no duration: the larger unit comes first: " + right);
}

BOOST_AUTO_TEST_CASE(a_duration_beyond_the_limit_is_refused_however_large) {
  BOOST_TEST((parse_duration("36600d") == kMaxDuration));
  for (const char* text : {"36600d1ms", "36601d", "878401h", "9223372036854775807ms", "9223372036854775807d",
                           "213503982335d", "99999999999999999999999999s"}) {
    BOOST_TEST(duration_refusal(text) == "'" + std::string(text) + "' is no duration: at most 36600d are allowed");
  }
}

BOOST_AUTO_TEST_CASE(a_duration_is_spelled_with_the_largest_units) {
  BOOST_TEST(format_duration(0ms) == "0s");
  BOOST_TEST(format_duration(1ms) == "1ms");
  BOOST_TEST(format_duration(90s) == "1m30s");
  BOOST_TEST(format_duration(1h) == "1h");
  BOOST_TEST(format_duration(25h + 1ms) == "1d1h1ms");
  BOOST_TEST(format_duration(kMaxDuration) == "36600d");
  BOOST_TEST(format_duration(-5s) == "-5s");
  BOOST_TEST(format_duration(Duration::min()) == "-106751991167d7h12m55s808ms");
}

BOOST_AUTO_TEST_CASE(what_is_spelled_is_read_back) {
  test::Random random;
  for (int i = 0; i < 20000; ++i) {
    const auto limit = static_cast<std::uint64_t>(kMaxDuration.count()) + 1;
    const Duration duration(static_cast<std::int64_t>(random.below(random.chance(50) ? limit : 100000)));
    BOOST_REQUIRE(parse_duration(format_duration(duration)) == duration);
  }
}

// --- times with a zone ---

BOOST_AUTO_TEST_CASE(rfc_3339_is_read_with_offset_and_fraction) {
  const Time noon = std::chrono::sys_days(std::chrono::year(2026) / 1 / 31) + 12h;
  BOOST_TEST((utc("2026-01-31T12:00:00Z") == noon));
  BOOST_TEST((utc("2026-01-31t12:00:00z") == noon));
  BOOST_TEST((utc("2026-01-31 12:00:00Z") == noon));
  BOOST_TEST((utc("2026-01-31T14:00:00+02:00") == noon));
  BOOST_TEST((utc("2026-01-31T06:30:00-05:30") == noon));
  BOOST_TEST((utc("2026-01-31T12:00:00.5Z") == noon + 500ms));
  BOOST_TEST((utc("2026-01-31T12:00:00.123999+00:00") == noon + 123ms));
  BOOST_TEST((utc("2024-02-29T00:00:00Z") == Time(std::chrono::sys_days(std::chrono::year(2024) / 2 / 29))));
  BOOST_TEST(to_ms(utc("1969-12-31T23:59:59.999Z")) == -1);
}

BOOST_AUTO_TEST_CASE(a_bad_time_is_refused_with_what_would_be_right) {
  const std::string right = "write 2026-01-31T12:00:00Z, 18:30, +10m, today 18:30 or tomorrow 09:00";
  for (const std::string text :
       {"", "noon", "9:00", "24:00", "12:60", "12:00:00", "tomorrow", "tomorrow 9am", "today  18:30", "2026-01-31",
        "2026-01-31T12:00Z", "2026-01-31T12:00:60Z", "2026-01-31T24:00:00Z", "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00X", "2026-01-31T12:00:00+2:00", "2026-01-31T12:00:00Zx", "2026-01-31T12:00:00+02:000"}) {
    BOOST_TEST(time_refusal(text) == "'" + text + "' is no time: " + right);
  }
  for (const std::string text :
       {"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z", "2o26-01-01T"}) {
    BOOST_TEST(time_refusal(text) == "'" + text + "' is no time: there is no such day");
  }
  BOOST_TEST(time_refusal("2026-01-31T12:00:00") ==
             "'2026-01-31T12:00:00' is no time: the zone is missing: add Z for UTC, or an offset like +02:00");
}

BOOST_AUTO_TEST_CASE(plus_a_duration_counts_from_now) {
  BOOST_TEST((parse_time("+10m", test::kStart) == test::kStart + 10min));
  BOOST_TEST((parse_time("+0s", test::kStart) == test::kStart));
  BOOST_TEST(time_refusal("+5") == "'5' is no duration: the unit is missing: write 5s or 5m");
  BOOST_TEST(time_refusal("+-5s") == "'-5s' is no duration: it must not be negative");
}

BOOST_AUTO_TEST_CASE(a_time_is_spelled_in_utc_with_milliseconds) {
  BOOST_TEST(format_time(test::kStart) == "2026-01-01T00:00:00.000Z");
  BOOST_TEST(format_time(from_ms(-1)) == "1969-12-31T23:59:59.999Z");
  BOOST_TEST(format_time(utc("2026-01-31T14:05:09.07+02:00")) == "2026-01-31T12:05:09.070Z");
}

BOOST_AUTO_TEST_CASE(a_time_without_four_digits_for_its_year_is_spelled_as_the_nearest) {
  BOOST_TEST(format_time(Time::max()) == "9999-12-31T23:59:59.999Z");
  BOOST_TEST(format_time(Time::min()) == "0000-01-01T00:00:00.000Z");
}

BOOST_AUTO_TEST_CASE(a_spelled_time_is_read_back) {
  test::Random random;
  const std::int64_t first = to_ms(utc("0000-01-01T00:00:00Z"));
  const std::int64_t last = to_ms(utc("9999-12-31T23:59:59.999Z"));
  for (int i = 0; i < 20000; ++i) {
    const Time time = from_ms(random.between(first, last));
    BOOST_REQUIRE(parse_time(format_time(time), test::kStart) == time);
  }
}

// --- local times ---

BOOST_AUTO_TEST_CASE(hours_and_minutes_mean_the_next_such_local_time) {
  const Zone zone(kBerlin);
  BOOST_TEST(at("18:30", "2026-01-31T12:00:00Z") == "2026-01-31T17:30:00.000Z");
  BOOST_TEST(at("09:00", "2026-01-31T12:00:00Z") == "2026-02-01T08:00:00.000Z");
  BOOST_TEST(at("13:00", "2026-01-31T12:00:00Z") == "2026-02-01T12:00:00.000Z");  // now itself is not to come
  BOOST_TEST(at("13:01", "2026-01-31T12:00:00Z") == "2026-01-31T12:01:00.000Z");
  BOOST_TEST(at("00:15", "2026-07-01T22:30:00Z") == "2026-07-02T22:15:00.000Z");  // it is 00:30 there
}

BOOST_AUTO_TEST_CASE(today_and_tomorrow_are_days_of_the_local_calendar) {
  const Zone zone(kBerlin);
  BOOST_TEST(at("today 18:30", "2026-01-31T12:00:00Z") == "2026-01-31T17:30:00.000Z");
  BOOST_TEST(at("today 09:00", "2026-01-31T12:00:00Z") == "2026-01-31T08:00:00.000Z");  // past, and said so
  BOOST_TEST(at("tomorrow 09:00", "2026-01-31T12:00:00Z") == "2026-02-01T08:00:00.000Z");
  BOOST_TEST(at("tomorrow 09:00", "2026-12-31T12:00:00Z") == "2027-01-01T08:00:00.000Z");
  BOOST_TEST(at("tomorrow 09:00", "2026-01-31T23:30:00Z") == "2026-02-02T08:00:00.000Z");  // it is February there
}

BOOST_AUTO_TEST_CASE(local_times_follow_summer_time) {
  const Zone zone(kBerlin);
  BOOST_TEST(at("tomorrow 09:00", "2026-03-28T12:00:00Z") == "2026-03-29T07:00:00.000Z");
  BOOST_TEST(at("tomorrow 09:00", "2026-10-24T12:00:00Z") == "2026-10-25T08:00:00.000Z");
}

BOOST_AUTO_TEST_CASE(a_local_time_that_is_left_out_means_the_first_one_after_it) {
  const Zone zone(kBerlin);
  for (const char* text : {"tomorrow 02:00", "tomorrow 02:30", "tomorrow 02:59", "tomorrow 03:00"}) {
    BOOST_TEST(at(text, "2026-03-28T12:00:00Z") == "2026-03-29T01:00:00.000Z");
  }
  BOOST_TEST(at("tomorrow 01:59", "2026-03-28T12:00:00Z") == "2026-03-29T00:59:00.000Z");
}

BOOST_AUTO_TEST_CASE(a_local_time_that_comes_twice_means_one_of_the_two) {
  const Zone zone(kBerlin);
  const std::string found = at("tomorrow 02:30", "2026-10-24T12:00:00Z");
  const bool is_one = found == "2026-10-25T00:30:00.000Z" || found == "2026-10-25T01:30:00.000Z";
  BOOST_TEST(is_one);
}

BOOST_AUTO_TEST_SUITE_END()
