#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_rm)

BOOST_AUTO_TEST_CASE(rm_forgets_final_jobs_with_all_that_is_theirs) {
  const Sandbox sandbox;
  sandbox.add_sh("echo hi");
  sandbox.drain();
  sandbox.ok({"add", "--", "true"});
  check_refused(sandbox.tq({"rm", "2"}), 4, "job 2 is ready");
  sandbox.ok({"rm", "1"});
  check_refused(sandbox.tq({"log", "1"}), 3, "there is no job 1");
  check_refused(sandbox.tq({"rm", "1"}), 3, "there is no job 1");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
