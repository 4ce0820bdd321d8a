#include "base/failpoint.hpp"

#include "base/child.hpp"
#include "base/fail.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <thread>

using namespace tq::base;

namespace {

struct Disarmed {
  ~Disarmed() { failpoint::arm(""); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(base_failpoint, Disarmed)

BOOST_AUTO_TEST_CASE(a_place_that_is_not_armed_does_nothing) {
  BOOST_TEST(failpoint_errno("here") == 0);
  failpoint::arm("elsewhere=error");
  BOOST_TEST(failpoint_errno("here") == 0);
}

BOOST_AUTO_TEST_CASE(an_armed_place_fails_once_with_the_wanted_errno) {
  failpoint::arm("here=error");
  BOOST_TEST(failpoint_errno("here") == EIO);
  BOOST_TEST(failpoint_errno("here") == 0);
  failpoint::arm("here=full");
  BOOST_TEST(failpoint_errno("here") == ENOSPC);
}

BOOST_AUTO_TEST_CASE(a_count_says_which_time_it_is) {
  failpoint::arm("here=error@3");
  BOOST_TEST(failpoint_errno("here") == 0);
  BOOST_TEST(failpoint_errno("here") == 0);
  BOOST_TEST(failpoint_errno("here") == EIO);
  BOOST_TEST(failpoint_errno("here") == 0);
}

BOOST_AUTO_TEST_CASE(an_empty_spec_disarms) {
  failpoint::arm("here=error");
  failpoint::arm("");
  BOOST_TEST(failpoint_errno("here") == 0);
}

BOOST_AUTO_TEST_CASE(wait_keeps_a_thread_there_until_the_place_is_disarmed) {
  failpoint::arm("here=wait");
  std::atomic<bool> is_there = false;
  std::atomic<bool> is_disarmed = false;
  bool passed_after = false;
  std::thread thread([&] {
    is_there = true;
    TQ_FAILPOINT("here");
    passed_after = is_disarmed;
  });
  while (!is_there) std::this_thread::yield();
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();  // if it did not wait, it would be through now
  is_disarmed = true;
  failpoint::arm("");
  thread.join();
  BOOST_TEST(passed_after);
}

BOOST_AUTO_TEST_CASE(exit_ends_the_process_at_once_without_destructors) {
  const auto ended = tq::test::in_child([] {
    struct Loud {
      ~Loud() { static_cast<void>(!::write(STDERR_FILENO, "destroyed", 9)); }
    } loud;
    failpoint::arm("here=exit");
    TQ_FAILPOINT("here");
  });
  BOOST_TEST(ended.exit_code == 137);
  BOOST_TEST(ended.standard_error == "");
}

BOOST_AUTO_TEST_CASE(a_spec_that_could_never_fire_is_refused) {
  BOOST_CHECK_THROW(failpoint::arm("here=explode"), tq::InvalidArgument);
  BOOST_CHECK_THROW(failpoint::arm("here=exit@0"), tq::InvalidArgument);
  BOOST_CHECK_THROW(failpoint::arm("here=exit@x"), tq::InvalidArgument);
  BOOST_CHECK_THROW(failpoint::arm("here=exit@"), tq::InvalidArgument);
  BOOST_CHECK_THROW(failpoint::arm("here=exit@2x"), tq::InvalidArgument);
  BOOST_TEST(failpoint_errno("here") == 0);
}

BOOST_AUTO_TEST_SUITE_END()
