#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_show)

BOOST_AUTO_TEST_CASE(a_failed_command_shows_its_attempts_and_events) {
  const Sandbox sandbox;
  sandbox.add_sh("exit $TQ_ATTEMPT", {"--retries", "1", "--backoff", "const:1ms", "--label", "x", "--timeout", "1m"});
  BackgroundWorker worker(sandbox);
  sandbox.tq({"wait", "1"});
  const std::string text = sandbox.ok({"show", "1"});
  for (const std::string_view part :
       {"job 1: failed", "error      exit status 2", "exit code  2", "sh -c 'exit $TQ_ATTEMPT'", "queue      default",
        "labels     x", "attempts   2 of at most 2", "backoff    const:1ms", "timeout    1m", "exit status 1",
        "enqueued", "started", "retrying", "\nattempts\n", "\nevents\n"}) {
    BOOST_TEST(contains(text, part), part << " is not in\n" << text);
  }
}

BOOST_AUTO_TEST_CASE(a_job_that_waits_says_why) {
  const Sandbox sandbox;
  sandbox.ok({"put", "resize", "{\"a\": 1}", "-d", "1h"});
  sandbox.ok({"queue", "pause", "default"});
  const std::string text = sandbox.ok({"show", "1"});
  BOOST_TEST(contains(text, "payload    {\"a\":1}"));
  BOOST_TEST(contains(text, "queue 'default' is paused"));
  BOOST_TEST(contains(text, "it waits until"));
  BOOST_TEST(contains(text, "no worker is running"));
}

BOOST_AUTO_TEST_CASE(several_are_shown_one_after_the_other) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "--", "true"});
  const Ended ended = sandbox.tq({"show", "2", "9", "1-2"});
  TQ_CHECK_ENDED(ended, 3);
  BOOST_TEST(ended.err == "tq: there is no job 9\n");
  BOOST_TEST(ended.out.find("job 2: ready") < ended.out.find("\njob 1: ready"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
