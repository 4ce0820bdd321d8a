#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

JobInfo job(const Sandbox& sandbox, JobId id) {
  return TaskQueue(std::filesystem::path(sandbox.store())).get(id).value();
}

BOOST_AUTO_TEST_SUITE(cli_retry)

BOOST_AUTO_TEST_CASE(a_final_job_runs_again_under_its_id) {
  const Sandbox sandbox;
  sandbox.add_sh("test -e file");
  sandbox.drain();
  BOOST_TEST(sandbox.tq({"wait", "1"}).code == 1);
  sandbox.write("file", "");
  BOOST_TEST(sandbox.ok({"retry", "1"}) == "");
  sandbox.drain();
  BOOST_TEST(sandbox.tq({"wait", "1"}).code == 0);
  BOOST_TEST(job(sandbox, 1).attempt == 1u);
}

BOOST_AUTO_TEST_CASE(a_scheduled_job_is_ready_now) {
  const Sandbox sandbox;
  sandbox.ok({"add", "-d", "1h", "--", "true"});
  BOOST_TEST(sandbox.ok({"retry", "--json", "1"}) == "{\"v\":1,\"id\":1}\n");
  BOOST_TEST((job(sandbox, 1).state == State::ready));
  check_refused(sandbox.tq({"retry", "1"}), 4, "job 1 is ready");
  check_refused(sandbox.tq({"retry", "2"}), 3, "there is no job 2");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
