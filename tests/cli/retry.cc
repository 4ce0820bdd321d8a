// `retry`, `rm` and `set`.
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

BOOST_AUTO_TEST_CASE(set_changes_jobs_that_wait) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "--label", "x", "--", "true"});
  sandbox.ok({"set", "1", "2", "queue=mail", "priority=-7", "at=2100-01-01T00:00:00Z", "labels=a,b"});
  for (const JobId id : {1u, 2u}) {
    BOOST_TEST(job(sandbox, id).queue == "mail");
    BOOST_TEST(job(sandbox, id).priority == -7);
    BOOST_TEST((job(sandbox, id).state == State::scheduled));
    BOOST_TEST(job(sandbox, id).labels == (std::vector<std::string>{"a", "b"}));
  }
  sandbox.ok({"set", "1", "labels=", "at=+0s"});
  BOOST_TEST(job(sandbox, 1).labels.empty());
  BOOST_TEST((job(sandbox, 1).state == State::ready));
  BOOST_TEST(job(sandbox, 1).queue == "mail");
}

BOOST_AUTO_TEST_CASE(set_names_what_is_wrong) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  check_refused(sandbox.tq({"set", "1"}), 2, "there is nothing to set");
  check_refused(sandbox.tq({"set", "priority=1"}), 2, "ID is missing");
  check_refused(sandbox.tq({"set", "1", "prio=1"}), 2, "prio: there is no such setting");
  check_refused(sandbox.tq({"set", "1", "priorit=1"}), 2, "did you mean 'priority'?");
  check_refused(sandbox.tq({"set", "1", "priority=x"}), 2, "priority: 'x' is no whole number");
  check_refused(sandbox.tq({"set", "1", "at=noon"}), 2, "at: 'noon' is no time");
  check_refused(sandbox.tq({"set", "1", "queue="}), 2, "the queue name is empty");
  check_refused(sandbox.tq({"set", "7", "priority=1"}), 3, "there is no job 7");
  sandbox.drain();
  check_refused(sandbox.tq({"set", "1", "priority=1"}), 4, "job 1 is succeeded");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
