#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_queue)

BOOST_AUTO_TEST_CASE(lists_all_with_their_counts) {
  const Sandbox sandbox;
  sandbox.ok({"add", "-Q", "b", "--", "true"});
  sandbox.ok({"queue", "pause", "a"});
  sandbox.ok({"queue", "set", "b", "max_size=9"});
  const Words rows = lines(sandbox.ok({"queue", "ls"}));
  BOOST_REQUIRE(rows.size() == 3u);
  BOOST_TEST(rows[1] == "a      paused        0        0           0         -");
  BOOST_TEST(rows[2] == "b      open          1        0           1         9");
  BOOST_TEST(sandbox.ok({"queue"}) == sandbox.ok({"queue", "ls"}));
  BOOST_TEST(sandbox.ok({"queue", "-q"}) == "a\nb\n");
}

BOOST_AUTO_TEST_CASE(shows_those_that_are_named) {
  const Sandbox sandbox;
  sandbox.ok({"add", "-Q", "a", "--", "true"});
  const Ended ended = sandbox.tq({"queue", "show", "none", "a"});
  TQ_CHECK_ENDED(ended, 3);
  BOOST_TEST(ended.err == "tq: there is no queue 'none'\n");
  BOOST_TEST(contains(ended.out, "queue a: open\n"));
  BOOST_TEST(contains(ended.out, "ready      1\n"));
}

BOOST_AUTO_TEST_CASE(a_paused_queue_starts_nothing_until_it_is_resumed) {
  const Sandbox sandbox;
  sandbox.ok({"queue", "pause", "default", "other"});
  sandbox.ok({"add", "--", "true"});
  BOOST_TEST(sandbox.tq({"worker", "--drain"}).code == 6);
  sandbox.ok({"queue", "resume", "default", "other"});
  sandbox.drain();
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "succeeded"}) == "1\n");
  check_refused(sandbox.tq({"queue", "resume", "none"}), 3, "there is no queue 'none'");
}

BOOST_AUTO_TEST_CASE(a_resumed_queue_wakes_a_worker) {
  const Sandbox sandbox;
  sandbox.ok({"queue", "pause", "default"});
  BackgroundWorker worker(sandbox);
  sandbox.ok({"add", "--", "true"});
  Process waiting = sandbox.start({"wait", "1"});
  sandbox.ok({"queue", "resume", "default"});
  BOOST_TEST(waiting.finish().code == 0);
}

BOOST_AUTO_TEST_CASE(settings_are_checked) {
  const Sandbox sandbox;
  sandbox.ok({"queue", "set", "a", "max_size=1"});
  sandbox.ok({"queue", "set", "a", "max_size=0"});
  check_refused(sandbox.tq({"queue", "set", "a"}), 2, "KEY=VALUE is missing");
  check_refused(sandbox.tq({"queue", "set", "a", "maxsize=1"}), 2, "did you mean max_size=N");
  check_refused(sandbox.tq({"queue", "set", "a", "colour=1"}), 2, "'colour=1' is no setting: write max_size=N");
  check_refused(sandbox.tq({"queue", "set", "a", "max_size"}), 2, "max_size=N");
  check_refused(sandbox.tq({"queue", "set", "a", "max_size=-1"}), 2, "max_size: '-1' is out of bounds");
  check_refused(sandbox.tq({"queue", "set", "a", "max_size=18446744073709551615"}), 2, "at most");
  check_refused(sandbox.tq({"queue", "set", std::string(129, 'q'), "max_size=1"}), 2, "has 129 bytes: at most 128");
  check_refused(sandbox.tq({"queue", "pause", "a\nb"}), 2, "control character");
  check_refused(sandbox.tq({"queue", "pause", "\xff"}), 2, "is not UTF-8");
}

BOOST_AUTO_TEST_CASE(purge_says_how_many_went) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.drain();
  for (int i = 0; i < 3; ++i) sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "-d", "1h", "--", "true"});
  BOOST_TEST(sandbox.ok({"queue", "purge", "default"}) == "4\n");
  BOOST_TEST(sandbox.ok({"queue", "purge", "default"}) == "0\n");
  BOOST_TEST(sandbox.ok({"--json", "queue", "purge", "default", "--state", "succeeded"}) ==
             "{\"v\":1,\"queue\":\"default\",\"removed\":1}\n");
  check_refused(sandbox.tq({"queue", "purge", "none"}), 3, "there is no queue 'none'");
  check_refused(sandbox.tq({"queue", "purge", "default", "--state", "running"}), 4, "cancel them");
  check_refused(sandbox.tq({"queue", "purge", "default", "--state", "raedy"}), 2, "did you mean 'ready'?");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(cli_dead)

BOOST_AUTO_TEST_CASE(lists_what_failed_with_its_error) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 3", {"-Q", "a"});
  sandbox.add_sh("exit 4", {"-Q", "b"});
  sandbox.add_sh("exit 0");
  BOOST_TEST(sandbox.ok({"dead"}) == "");
  sandbox.drain();
  const Words rows = lines(sandbox.ok({"dead", "ls"}));
  BOOST_REQUIRE(rows.size() == 3u);
  BOOST_TEST(contains(rows[1], "exit status 4"));
  BOOST_TEST(contains(rows[2], "sh -c 'exit 3'"));
  BOOST_TEST(sandbox.ok({"dead", "ls", "-q", "-Q", "a"}) == "1\n");
  BOOST_TEST(sandbox.ok({"dead", "ls", "-q", "--limit", "1"}) == "2\n");
}

BOOST_AUTO_TEST_CASE(retries_some_or_all) {
  const Sandbox sandbox;
  for (int i = 0; i < 3; ++i) sandbox.add_sh("exit 1");
  sandbox.ok({"add", "-d", "1h", "--", "true"});
  sandbox.drain();
  const Ended some = sandbox.tq({"dead", "retry", "1", "4", "9"});
  TQ_CHECK_ENDED(some, 4);
  BOOST_TEST(some.out == "1\n");
  BOOST_TEST(some.err == "tq: job 4 has not failed: it is scheduled\ntq: there is no job 9\n");
  BOOST_TEST(sandbox.ok({"--json", "dead", "retry"}) == "{\"v\":1,\"retried\":2}\n");
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "ready"}) == "3\n2\n1\n");
}

BOOST_AUTO_TEST_CASE(purges_some_or_all_or_the_old) {
  const Sandbox sandbox;
  for (int i = 0; i < 4; ++i) sandbox.add_sh("exit 1");
  sandbox.ok({"add", "-d", "1h", "--", "true"});
  sandbox.drain();
  BOOST_TEST(sandbox.ok({"dead", "purge", "--older", "1d"}) == "0\n");
  BOOST_TEST(sandbox.ok({"dead", "purge", "1-2"}) == "2\n");
  const Ended waiting = sandbox.tq({"dead", "purge", "5"});
  TQ_CHECK_ENDED(waiting, 4);
  BOOST_TEST(waiting.out == "0\n");
  BOOST_TEST(sandbox.ok({"dead", "purge"}) == "2\n");
  BOOST_TEST(sandbox.ok({"ls", "-q"}) == "5\n");
  check_refused(sandbox.tq({"dead", "purge", "--older", "1d", "5"}), 2, "use one of them");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
