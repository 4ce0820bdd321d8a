#include "base/fail.hpp"

#include "base/child.hpp"
#include "support/message_of.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>

using namespace tq;

BOOST_AUTO_TEST_SUITE(base_fail)

BOOST_AUTO_TEST_CASE(a_failure_of_the_system_names_the_operation_and_the_reason_and_keeps_the_number) {
  const auto what = test::message_of<IoError>([] { base::throw_system("cannot open 'jobs.tq'", EACCES); });
  BOOST_TEST(what == "cannot open 'jobs.tq': Permission denied");
  try {
    base::throw_system("cannot sync", EIO);
  } catch (const DiskFull&) {
    BOOST_ERROR("EIO is not a full disk");
  } catch (const IoError& error) {
    BOOST_TEST(error.code() == EIO);
  }
}

BOOST_AUTO_TEST_CASE(no_space_and_no_quota_are_a_full_disk) {
  BOOST_CHECK_THROW(base::throw_system("cannot write", ENOSPC), DiskFull);
  BOOST_CHECK_THROW(base::throw_system("cannot write", EDQUOT), DiskFull);
}

BOOST_AUTO_TEST_CASE(every_failure_is_caught_as_an_error_and_those_of_the_file_as_store_errors) {
  BOOST_CHECK_THROW(base::fail<InvalidArgument>("{}", 1), Error);
  BOOST_CHECK_THROW(base::fail<NotFound>("{}", 1), Error);
  BOOST_CHECK_THROW(base::fail<Conflict>("{}", 1), Error);
  BOOST_CHECK_THROW(base::fail<QueueFull>("{}", 1), Error);
  BOOST_CHECK_THROW(base::fail<CodecError>("{}", 1), Error);
  BOOST_CHECK_THROW(base::fail<Damaged>("{}", 1), StoreError);
  BOOST_CHECK_THROW(base::fail<Unsupported>("{}", 1), StoreError);
  BOOST_CHECK_THROW(base::throw_system("x", ENOSPC), StoreError);
}

BOOST_AUTO_TEST_CASE(an_assumption_that_holds_costs_nothing_and_one_that_does_not_ends_the_process) {
  TQ_ASSERT(1 + 1 == 2);
  const test::Ended ended = test::in_child([] { TQ_ASSERT(1 + 1 == 3); });
  BOOST_TEST(ended.signal == SIGABRT);
  BOOST_TEST(ended.standard_error.find("tq: bug: '1 + 1 == 3' does not hold at ") == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
