// `cancel` and `kill`.
#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>

namespace tq::test {
namespace {

std::string state(const Sandbox& sandbox, JobId id) {
  return std::string(to_string(TaskQueue(std::filesystem::path(sandbox.store())).get(id).value().state));
}

BOOST_AUTO_TEST_SUITE(cli_cancel)

BOOST_AUTO_TEST_CASE(a_waiting_job_never_starts) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "-d", "1h", "--", "true"});
  const Ended ended = sandbox.tq({"cancel", "1-2", "--reason", "no longer needed"});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(ended.out == "");
  BOOST_TEST(ended.err == "");
  BOOST_TEST(state(sandbox, 1) == "cancelled");
  BOOST_TEST(state(sandbox, 2) == "cancelled");
  BOOST_TEST(contains(sandbox.ok({"show", "1"}), "no longer needed"));
}

BOOST_AUTO_TEST_CASE(a_running_command_gets_term) {
  const Sandbox sandbox;
  BackgroundWorker worker(sandbox);
  sandbox.add_sh("trap 'echo term; exit 0' TERM; echo begun; sleep 60 & wait");
  Process follow = sandbox.start({"log", "-f", "1"});
  follow.read_until("begun");
  BOOST_TEST(sandbox.ok({"cancel", "--json", "1"}) == "{\"v\":1,\"id\":1,\"outcome\":\"requested\"}\n");
  const Ended ended = follow.finish();
  TQ_CHECK_ENDED(ended, 8);
  BOOST_TEST(ended.out == "begun\nterm\n");
}

BOOST_AUTO_TEST_CASE(kill_chooses_the_signal) {
  const Sandbox sandbox;
  BackgroundWorker worker(sandbox);
  int id = 0;
  for (const std::string name : {"INT", "SIGINT", "2", "int"}) {
    sandbox.add_sh("trap 'echo int; exit 0' INT; echo begun; sleep 60 & wait");
    const std::string number = std::to_string(++id);
    Process follow = sandbox.start({"log", "-f", number});
    follow.read_until("begun");
    sandbox.ok({"kill", "-s", name, number});
    BOOST_TEST(follow.finish().out == "begun\nint\n");
  }
}

BOOST_AUTO_TEST_CASE(kill_is_for_what_runs) {
  const Sandbox sandbox;
  sandbox.ok({"add", "-d", "1h", "--", "true"});
  check_refused(sandbox.tq({"kill", "1"}), 4, "job 1 is not running, but scheduled");
  check_refused(sandbox.tq({"kill", "2"}), 3, "there is no job 2");
  check_refused(sandbox.tq({"kill", "-s", "FOO", "1"}), 2, "'FOO' is no signal");
  check_refused(sandbox.tq({"kill", "-s", "0", "1"}), 2, "from 1 to 64");
  check_refused(sandbox.tq({"kill", "-s", "-9", "1"}), 2, "'-9' is no signal");
}

BOOST_AUTO_TEST_CASE(each_is_tried_and_the_first_refusal_is_the_code) {
  const Sandbox sandbox;
  for (int i = 0; i < 3; ++i) sandbox.ok({"add", "--", "true"});
  sandbox.ok({"cancel", "2"});
  const Ended ended = sandbox.tq({"cancel", "2", "9", "1", "3"});
  TQ_CHECK_ENDED(ended, 4);
  BOOST_TEST(ended.err == "tq: job 2 is over already: cancelled\ntq: there is no job 9\n");
  BOOST_TEST(state(sandbox, 1) == "cancelled");
  BOOST_TEST(state(sandbox, 3) == "cancelled");
}

BOOST_AUTO_TEST_CASE(a_range_means_the_jobs_that_are_in_it) {
  const Sandbox sandbox;
  for (int i = 0; i < 3; ++i) sandbox.ok({"add", "--", "true"});
  sandbox.ok({"cancel", "2"});
  sandbox.ok({"rm", "2"});
  sandbox.ok({"cancel", "1-18446744073709551615"});
  BOOST_TEST(state(sandbox, 3) == "cancelled");
  check_refused(sandbox.tq({"cancel", "5-9"}), 3, "there is no job from 5 to 9");
}

BOOST_AUTO_TEST_CASE(what_is_no_id_is_refused) {
  const Sandbox sandbox;
  for (const std::string bad : {"x", "0", "-", "3-", "-3", "1-2-3", "18446744073709551616", "1.5", "", " 1", "7-3"}) {
    const Ended ended = sandbox.tq({"cancel", "--", bad});
    BOOST_TEST_INFO(bad);
    TQ_CHECK_ENDED(ended, 2);
    BOOST_TEST(ended.err.starts_with("tq: ID: "));
  }
  check_refused(sandbox.tq({"cancel"}), 2, "ID is missing: tq cancel");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
