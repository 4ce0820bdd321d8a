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

BOOST_AUTO_TEST_CASE(with_json_each_change_is_one_line) {
  const Sandbox sandbox;
  BOOST_TEST(sandbox.ok({"--json", "queue", "set", "a", "max_size=7"}) == "{\"v\":1,\"queue\":\"a\",\"max_size\":7}\n");
  BOOST_TEST(sandbox.ok({"--json", "queue", "pause", "a", "b"}) ==
             "{\"v\":1,\"queue\":\"a\",\"paused\":true}\n{\"v\":1,\"queue\":\"b\",\"paused\":true}\n");
  BOOST_TEST(sandbox.ok({"--json", "queue", "resume", "a"}) == "{\"v\":1,\"queue\":\"a\",\"paused\":false}\n");
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

}  // namespace
}  // namespace tq::test
