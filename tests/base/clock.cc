#include "base/clock.hpp"

#include "support/fake_clock.hpp"

#include <boost/test/unit_test.hpp>

using namespace tq;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(base_clock)

BOOST_AUTO_TEST_CASE(a_time_and_its_milliseconds_since_1970_are_the_same) {
  BOOST_TEST(base::to_ms(base::from_ms(0)) == 0);
  BOOST_TEST(base::to_ms(base::from_ms(-1)) == -1);
  BOOST_TEST(base::to_ms(Time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1))) == 1'767'225'600'000);
}

BOOST_AUTO_TEST_CASE(the_system_clock_is_one_object_that_shows_this_century) {
  BOOST_TEST(&base::system_clock() == &base::system_clock());
  BOOST_TEST((base::system_clock().now() > Time(std::chrono::sys_days(std::chrono::year(2020) / 1 / 1))));
}

BOOST_AUTO_TEST_CASE(a_fake_clock_stands_still_until_it_is_moved) {
  test::FakeClock clock;
  const base::Clock& seen = clock;
  BOOST_TEST((seen.now() == test::kStart));
  BOOST_TEST((seen.now() == test::kStart));
  clock.advance(90s);
  BOOST_TEST((seen.now() == test::kStart + 90s));
  clock.set(test::kStart - 1h);
  BOOST_TEST((seen.now() == test::kStart - 1h));
}

BOOST_AUTO_TEST_SUITE_END()
