#include "cli/values.hpp"

#include "base/clock.hpp"

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

namespace tq::cli {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

template <class T>
T read_as(const std::string& text) {
  T value{};
  read(text, value);
  return value;
}

BOOST_AUTO_TEST_SUITE(cli_values)

BOOST_AUTO_TEST_CASE(lists_are_split_at_commas) {
  BOOST_TEST(read_as<Words>("a,b") == (Words{"a", "b"}));
  BOOST_TEST(read_as<Words>("") == (Words{""}));
  BOOST_TEST(read_as<Words>("a,") == (Words{"a", ""}));
  BOOST_TEST((read_as<std::vector<State>>("ready,failed") == std::vector{State::ready, State::failed}));
  BOOST_CHECK_THROW(read_as<std::vector<State>>("ready,,failed"), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(numbers_are_read_to_their_ends) {
  BOOST_TEST(read_as<std::int32_t>("-2147483648") == std::numeric_limits<std::int32_t>::min());
  BOOST_TEST(read_as<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  BOOST_CHECK_THROW(read_as<std::uint64_t>("18446744073709551616"), InvalidArgument);
  BOOST_CHECK_THROW(read_as<std::uint32_t>("-0"), InvalidArgument);
  BOOST_CHECK_THROW(read_as<std::uint32_t>("-"), InvalidArgument);
  BOOST_CHECK_THROW(read_as<std::uint32_t>("1 "), InvalidArgument);
  BOOST_TEST(read_number("5", 1, 5) == 5);
  BOOST_CHECK_THROW(read_number("6", 1, 5), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(signals_have_names_and_numbers) {
  BOOST_TEST(read_signal("TERM") == 15);
  BOOST_TEST(read_signal("sigkill") == 9);
  BOOST_TEST(read_signal("9") == 9);
  for (const char* const bad : {"", "SIG", "0", "65", "TERMX", "-9", "9 "}) {
    BOOST_CHECK_THROW(read_signal(bad), InvalidArgument);
  }
}

BOOST_AUTO_TEST_CASE(a_backoff_has_a_kind_and_durations) {
  const auto constant = read_as<Backoff>("const:5s");
  BOOST_TEST((constant.base == 5s && constant.cap == 5s && constant.kind == Backoff::Kind::constant));
  const auto doubled = read_as<Backoff>("exp:2h");
  BOOST_TEST((doubled.base == 2h && doubled.cap == 2h && doubled.kind == Backoff::Kind::exponential));
  BOOST_TEST((read_as<Backoff>("exp:1s").cap == 1h));
  for (const char* const bad : {"", "const", "const:", "exp:..", "exp:1s..", "exp:..1s", "lin:1s", "exp:2s..1s"}) {
    BOOST_CHECK_THROW(read_as<Backoff>(bad), InvalidArgument);
  }
}

BOOST_AUTO_TEST_CASE(a_past_time_of_day_is_the_last_one) {
  const Time now = base::system_clock().now();
  BOOST_TEST((read_past("10m") <= now - 10min + 1min));
  BOOST_TEST((read_past("00:00") <= base::system_clock().now()));
  BOOST_TEST((read_past("23:59") <= base::system_clock().now()));
  BOOST_TEST((read_past("2026-01-31T12:00:00Z") == Time(1769860800s)));
  BOOST_CHECK_THROW(read_past("never"), InvalidArgument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
