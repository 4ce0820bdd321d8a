#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_run)

BOOST_AUTO_TEST_CASE(shows_the_output_where_it_belongs_and_ends_with_the_code) {
  const Sandbox sandbox;
  const Ended ended = sandbox.tq({"run", "--", "sh", "-c", "echo out; echo err >&2; exit 7"});
  TQ_CHECK_ENDED(ended, 7);
  BOOST_TEST(ended.out == "out\n");
  BOOST_TEST(ended.err == "err\n");
}

BOOST_AUTO_TEST_CASE(a_command_that_goes_well_says_nothing_of_its_own) {
  const Sandbox sandbox;
  const Ended ended = sandbox.tq({"run", "true"});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(ended.out == "");
  BOOST_TEST(ended.err == "");
}

BOOST_AUTO_TEST_CASE(takes_the_options_of_add_that_ask_for_what_it_does_anyhow) {
  const Sandbox sandbox;
  for (const char* option : {"-w", "--wait", "--follow"}) {
    const Ended ended = sandbox.tq({"run", option, "--", "sh", "-c", "echo out; exit 7"});
    TQ_CHECK_ENDED(ended, 7);
    BOOST_TEST(ended.out == "out\n");
  }
}

BOOST_AUTO_TEST_CASE(a_command_that_is_not_there_is_127_and_one_that_may_not_be_run_126) {
  const Sandbox sandbox;
  sandbox.write("text", "no program");
  const Ended missing = sandbox.tq({"run", "--", "no-such-command"});
  TQ_CHECK_ENDED(missing, 127);
  BOOST_TEST(contains(missing.err, "no-such-command"));
  const Ended forbidden = sandbox.tq({"run", "--", "./text"});
  TQ_CHECK_ENDED(forbidden, 126);
  BOOST_TEST(contains(forbidden.err, "./text"));
}

BOOST_AUTO_TEST_CASE(a_signal_is_128_and_its_number) {
  const Sandbox sandbox;
  const Ended ended = sandbox.tq({"run", "--", "sh", "-c", "kill -KILL $$"});
  TQ_CHECK_ENDED(ended, 128 + SIGKILL);
  BOOST_TEST(contains(ended.err, "SIGKILL"));
}

BOOST_AUTO_TEST_CASE(a_time_out_is_124) {
  const Sandbox sandbox;
  const Ended ended = sandbox.tq({"run", "--timeout", "50ms", "--", "sleep", "60"});
  TQ_CHECK_ENDED(ended, 124);
  BOOST_TEST(contains(ended.err, "tq: job 1 failed: timed out after 50ms"));
}

BOOST_AUTO_TEST_CASE(follows_through_retries) {
  const Sandbox sandbox;
  const std::string script = "echo try $TQ_ATTEMPT; test $TQ_ATTEMPT = 3";
  const Ended ended = sandbox.tq({"run", "--retries", "3", "--backoff", "const:1ms", "--", "sh", "-c", script});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(ended.out == "try 1\ntry 2\ntry 3\n");
}

BOOST_AUTO_TEST_CASE(failures_of_its_own_are_125) {
  Sandbox sandbox;
  check_refused(sandbox.tq({"run", "--bogus", "--", "true"}), 125, "there is no option '--bogus'");
  check_refused(sandbox.tq({"run"}), 125, "COMMAND is missing");
  check_refused(sandbox.tq({"run", "-d", "5x", "--", "true"}), 125, "--delay");
  sandbox.write("text", "no store");
  sandbox.env["TQ_FILE"] = sandbox.path("text");
  sandbox.checks_at_end = false;
  check_refused(sandbox.tq({"run", "--", "true"}), 125, "not a tq store");
}

BOOST_AUTO_TEST_CASE(leaves_the_work_to_a_worker_that_is_there) {
  const Sandbox sandbox;
  BackgroundWorker worker(sandbox);
  BOOST_TEST(sandbox.ok({"run", "--", "echo", "hi"}) == "hi\n");
  BOOST_TEST(lines(sandbox.ok({"events", "--type", "worker_started"})).size() == 1u);
}

BOOST_AUTO_TEST_CASE(does_not_count_on_a_worker_of_another_queue) {
  const Sandbox sandbox;
  BackgroundWorker worker(sandbox, {"-Q", "other"});
  BOOST_TEST(sandbox.ok({"run", "--", "echo", "hi"}) == "hi\n");
}

BOOST_AUTO_TEST_CASE(runs_what_is_before_it_but_nothing_after_it) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "-p", "-1", "--", "true"});
  BOOST_TEST(sandbox.ok({"run", "--", "echo", "mine"}) == "mine\n");
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "succeeded"}) == "3\n1\n");
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "ready"}) == "2\n");
}

BOOST_AUTO_TEST_CASE(waits_for_its_time) {
  const Sandbox sandbox;
  BOOST_TEST(sandbox.ok({"run", "-d", "200ms", "--", "echo", "late"}) == "late\n");
}

BOOST_AUTO_TEST_CASE(ends_when_somebody_cancels_the_job) {
  const Sandbox sandbox;
  Process run = sandbox.start({"run", "--", "sh", "-c", "echo begun; sleep 60"});
  run.read_until("begun");
  sandbox.ok({"cancel", "1", "--reason", "enough"});
  const Ended ended = run.finish();
  TQ_CHECK_ENDED(ended, 8);
  BOOST_TEST(ended.err == "tq: job 1 cancelled: enough\n");
}

BOOST_AUTO_TEST_CASE(a_signal_cancels_the_job) {
  const Sandbox sandbox;
  Process run = sandbox.start({"run", "--", "sh", "-c", "trap 'echo caught; exit 3' INT; echo begun; sleep 60 & wait"});
  run.read_until("begun");
  run.signal(SIGINT);
  const Ended ended = run.finish();
  TQ_CHECK_ENDED(ended, 128 + SIGINT);
  BOOST_TEST(ended.out == "begun\ncaught\n");
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "cancelled"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(a_second_signal_ends_it_at_once) {
  const Sandbox sandbox;
  Process run =
      sandbox.start({"run", "--", "sh", "-c", "trap 'echo caught' INT; echo begun; while :; do sleep 1; done"});
  run.read_until("begun");
  run.signal(SIGINT);
  run.read_until("caught");
  run.signal(SIGINT);
  TQ_CHECK_ENDED(run.finish(), 128 + SIGINT);
}

BOOST_AUTO_TEST_CASE(ends_quietly_when_nobody_reads_it) {
  const Sandbox sandbox;
  Start start = sandbox.how({"run", "--", "sh", "-c", "echo x; sleep 60"});
  start.standard_output = Stdout::unread;
  const Ended ended = Process(start).finish();
  TQ_CHECK_ENDED(ended, 141);
  BOOST_TEST(ended.err == "");
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "cancelled"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(bytes_come_through_as_they_are) {
  const Sandbox sandbox;
  const Ended ended = sandbox.tq({"run", "--stdin", "-", "--", "cat"}, std::string("\0\xff\x1b[31m", 7));
  BOOST_TEST(ended.out == std::string("\0\xff\x1b[31m", 7));
}

BOOST_AUTO_TEST_CASE(a_command_gets_clean_signals_and_descriptors) {
  const Sandbox sandbox;
  const std::string out =
      sandbox.ok({"run", "--", "sh", "-c", "grep -E 'SigBlk|SigIgn' /proc/self/status; ls /proc/self/fd"});
  BOOST_TEST(contains(out, "SigBlk:\t0000000000000000"));
  // SIGPIPE is 13, SIGXFSZ 25. The two that the C library keeps for itself may be ignored.
  const std::uint64_t ignored = std::stoull(out.substr(out.find("SigIgn:\t") + 8, 16), nullptr, 16);
  BOOST_TEST((ignored & 0x7fffffff) == 0u);
  BOOST_TEST(out.ends_with("\n0\n1\n2\n3\n"));  // the last is that of ls itself
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
