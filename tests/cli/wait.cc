#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_wait)

BOOST_AUTO_TEST_CASE(one_job_ends_it_with_its_own_code) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 0");
  sandbox.add_sh("exit 42");
  sandbox.add_sh("kill -TERM $$");
  sandbox.ok({"add", "--", "no-such-command"});
  sandbox.drain();
  BOOST_TEST(sandbox.tq({"wait", "1"}).code == 0);
  const Ended failed = sandbox.tq({"wait", "2"});
  BOOST_TEST(failed.code == 42);
  BOOST_TEST(failed.out == "");
  BOOST_TEST(failed.err == "");  // the code says it
  BOOST_TEST(sandbox.tq({"wait", "3"}).code == 128 + 15);
  BOOST_TEST(sandbox.tq({"wait", "4-4"}).code == 127);
}

BOOST_AUTO_TEST_CASE(a_job_without_a_code_that_failed_is_1) {
  const Sandbox sandbox;
  sandbox.ok({"put", "t", "--retries", "0"});
  sandbox.drain_task("t", [](const Payload&, Context&) -> Payload { throw std::runtime_error("broken"); });
  const Ended ended = sandbox.tq({"wait", "1"});
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(ended.err.starts_with("tq: job 1 failed: "));
  BOOST_TEST(contains(ended.err, "broken"));
}

BOOST_AUTO_TEST_CASE(cancelled_and_expired_are_8) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"cancel", "1"});
  BOOST_TEST(sandbox.tq({"wait", "1"}).code == 8);
  sandbox.ok({"add", "--expires", "1ms", "-d", "1h", "--", "true"});
  BackgroundWorker worker(sandbox);
  const Ended expired = sandbox.tq({"wait", "2"});
  BOOST_TEST(expired.code == 8);
  BOOST_TEST(contains(expired.err, "tq: job 2 expired"));
}

BOOST_AUTO_TEST_CASE(sleeps_until_the_job_is_over) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 5");
  Process waiting = sandbox.start({"wait", "1"});
  sandbox.drain();
  BOOST_TEST(waiting.finish().code == 5);
}

BOOST_AUTO_TEST_CASE(several_are_1_if_one_of_them_did_not_succeed) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 0");
  sandbox.add_sh("exit 42");
  sandbox.add_sh("exit 0");
  Process good = sandbox.start({"wait", "1", "3"});
  Process bad = sandbox.start({"wait", "1-3"});
  sandbox.drain();
  BOOST_TEST(good.finish().code == 0);
  const Ended ended = bad.finish();
  BOOST_TEST(ended.code == 1);
  BOOST_TEST(ended.out == "");
  BOOST_TEST(ended.err == "tq: job 2 failed: exit status 42\n");
  BOOST_TEST(sandbox.tq({"wait", "1-3"}).code == 1);  // over already
  BOOST_TEST(sandbox.tq({"-q", "wait", "1-3"}).err == "");
}

BOOST_AUTO_TEST_CASE(any_ends_with_the_first_and_names_it) {
  const Sandbox sandbox;
  sandbox.ok({"add", "-d", "1h", "--", "true"});
  sandbox.add_sh("exit 0");
  Process waiting = sandbox.start({"wait", "--any", "1", "2"});
  sandbox.drain();
  const Ended ended = waiting.finish();
  BOOST_TEST(ended.code == 0);
  BOOST_TEST(ended.out == "2\n");
  BOOST_TEST(sandbox.ok({"wait", "--any", "1-2"}) == "2\n");
  BOOST_TEST(sandbox.ok({"wait", "--any", "2"}) == "2\n");
}

BOOST_AUTO_TEST_CASE(all_waits_for_the_store_and_a_queue_for_itself) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 0", {"-Q", "a"});
  sandbox.add_sh("exit 1", {"-Q", "b"});
  Process queue = sandbox.start({"wait", "-Q", "a"});
  Process all = sandbox.start({"wait", "--all", "--progress"});
  all.read_errors_until("0 of 2 done");
  sandbox.ok({"worker", "--drain", "-Q", "a"});
  BOOST_TEST(queue.finish().code == 0);
  sandbox.ok({"worker", "--drain"});
  const Ended ended = all.finish();
  BOOST_TEST(ended.code == 1);
  Words said = lines(ended.err);
  BOOST_REQUIRE(!said.empty());
  BOOST_TEST(said.back() == "tq: job 2 failed: exit status 1");
  said.pop_back();
  for (const std::string& line : said) BOOST_TEST(contains(line, " of 2 done"));
  BOOST_TEST(sandbox.tq({"wait", "--all"}).code == 0);  // nothing is left, and what was is no matter
  BOOST_TEST(sandbox.tq({"wait", "--all", "-Q", "a"}).code == 0);
  check_refused(sandbox.tq({"wait", "-Q", "none"}), 3, "there is no queue 'none'");
}

BOOST_AUTO_TEST_CASE(any_of_all_ends_with_the_first) {
  const Sandbox sandbox;
  sandbox.ok({"add", "-d", "1h", "--", "true"});
  sandbox.add_sh("exit 0");
  Process waiting = sandbox.start({"wait", "--all", "--any", "--progress"});
  waiting.read_errors_until("0 of 2 done");  // else it might look when there is one less
  sandbox.drain();
  const Ended ended = waiting.finish();
  BOOST_TEST(ended.code == 0);
  BOOST_TEST(ended.out == "2\n");
}

BOOST_AUTO_TEST_CASE(gives_up_after_its_time) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "--", "true"});
  for (const Words& arguments : {Words{"wait", "1"}, Words{"wait", "1-2"}, Words{"wait", "--all"},
                                 Words{"wait", "1", "--progress"}, Words{"wait", "-Q", "default", "--any"}}) {
    Words words = arguments;
    words.insert(words.end(), {"--timeout", "20ms"});
    const Ended ended = sandbox.tq(words);
    TQ_CHECK_ENDED(ended, 124);
    BOOST_TEST(contains(ended.err, "tq: timed out"));
  }
  BOOST_TEST(sandbox.tq({"wait", "1", "--timeout", "0s"}).code == 124);
}

BOOST_AUTO_TEST_CASE(progress_is_shown_on_request) {
  const Sandbox sandbox;
  sandbox.ok({"put", "t"});
  Process waiting = sandbox.start({"wait", "--progress", "1"});
  waiting.read_errors_until("job 1 enqueued");
  Process two = sandbox.start({"wait", "--progress", "--all"});
  two.read_errors_until("0 of 1 done");
  sandbox.drain_task("t", [&](const Payload&, Context& context) -> Payload {
    context.progress(0.5, "half way");
    waiting.read_errors_until("[############............] half way");
    return {};
  });
  BOOST_TEST(waiting.finish().code == 0);
  BOOST_TEST(two.finish().code == 0);
}

BOOST_AUTO_TEST_CASE(a_terminal_has_progress_by_itself_and_is_left_clean) {
  Sandbox sandbox;
  sandbox.env["TERM"] = "xterm";
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "--", "true"});
  Start start = sandbox.how({"wait", "1-2"});
  start.standard_output = Stdout::terminal;
  Process waiting(start);
  waiting.read_until("0 of 2 done");
  sandbox.drain();
  BOOST_TEST(waiting.finish().out.ends_with("\r\x1b[K"));
}

BOOST_AUTO_TEST_CASE(says_as_json_how_each_ended) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 0");
  sandbox.add_sh("exit 3");
  sandbox.ok({"worker", "--drain", "-j", "1"});
  const Ended ended = sandbox.tq({"wait", "--json", "1-2"});
  TQ_CHECK_ENDED(ended, 1);
  BOOST_TEST(ended.out ==
             "{\"v\":1,\"id\":1,\"state\":\"succeeded\",\"exit_code\":0,\"error\":\"\"}\n"
             "{\"v\":1,\"id\":2,\"state\":\"failed\",\"exit_code\":3,\"error\":\"exit status 3\"}\n");
  BOOST_TEST(sandbox.tq({"wait", "--json", "2"}).code == 3);
}

BOOST_AUTO_TEST_CASE(failures_of_its_own_are_125_for_one_job) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  check_refused(sandbox.tq({"wait", "9"}), 125, "there is no job 9");
  check_refused(sandbox.tq({"wait", "1", "9"}), 3, "there is no job 9");
  check_refused(sandbox.tq({"wait"}), 2, "Write ID..., --all or -Q QUEUE");
  check_refused(sandbox.tq({"wait", "1", "--all"}), 2, "use one of them");
  check_refused(sandbox.tq({"wait", "1", "--timeout", "-1s"}), 2, "it must not be negative");
}

BOOST_AUTO_TEST_CASE(ends_when_the_job_is_removed) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  Process waiting = sandbox.start({"wait", "--progress", "1"});
  waiting.read_errors_until("job 1");
  sandbox.ok({"queue", "purge", "default"});
  check_refused(sandbox.tq({"wait", "1"}), 125, "there is no job 1");
  const Ended ended = waiting.finish();
  TQ_CHECK_ENDED(ended, 125);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
