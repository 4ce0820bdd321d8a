#include "cli/exit_code.hpp"

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <new>

namespace tq::cli {
namespace {

BOOST_AUTO_TEST_SUITE(cli_exit_code)

BOOST_AUTO_TEST_CASE(codes_of_failures_and_of_jobs) {
  BOOST_TEST(exit_code_of(InvalidArgument("")) == 2);
  BOOST_TEST(exit_code_of(NotFound("")) == 3);
  BOOST_TEST(exit_code_of(Conflict("")) == 4);
  BOOST_TEST(exit_code_of(QueueFull("")) == 5);
  BOOST_TEST(exit_code_of(DiskFull("", ENOSPC)) == 7);
  BOOST_TEST(exit_code_of(CodecError("")) == 7);
  BOOST_TEST(exit_code_of(std::bad_alloc()) == 7);
  BOOST_TEST(exit_code_of(Result{State::succeeded, {}, "", 0}) == 0);
  BOOST_TEST(exit_code_of(Result{State::failed, {}, "exit status 3", 3}) == 3);
  BOOST_TEST(exit_code_of(Result{State::failed, {}, "its worker died", 0}) == 1);
  BOOST_TEST(exit_code_of(Result{State::failed, {}, "timed out after 1s (killed by SIGTERM)", 143}) == 124);
  BOOST_TEST(exit_code_of(Result{State::cancelled, {}, "", 143}) == 8);
  BOOST_TEST(exit_code_of(Result{State::expired, {}, "", std::nullopt}) == 8);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
