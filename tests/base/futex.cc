#include "base/futex.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

namespace tq::base {
namespace {

BOOST_AUTO_TEST_SUITE(futex)

BOOST_AUTO_TEST_CASE(a_word_that_has_moved_is_not_slept_on) {
  std::atomic<std::uint32_t> word = 1;
  BOOST_TEST(futex_wait(word, 0, kFutexAll, Duration::max()));
}

BOOST_AUTO_TEST_CASE(a_sleeper_wakes_up_when_it_is_woken) {
  std::atomic<std::uint32_t> word = 0;
  std::thread sleeper([&] {
    while (word == 0) futex_wait(word, 0, kFutexAll, Duration::max());
  });
  word = 1;
  futex_wake(word, kFutexAll);
  sleeper.join();
}

BOOST_AUTO_TEST_CASE(nobody_sleeps_longer_than_the_time_out) {
  std::atomic<std::uint32_t> word = 0;
  BOOST_TEST(!futex_wait(word, 0, kFutexAll, Duration{1}));
  BOOST_TEST(!futex_wait(word, 0, kFutexAll, Duration{-1}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::base
