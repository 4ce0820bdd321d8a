#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

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
