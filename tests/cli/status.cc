#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_status)

BOOST_AUTO_TEST_CASE(status_shows_queues_and_what_runs) {
  const Sandbox sandbox;
  BackgroundWorker worker(sandbox);
  sandbox.ok({"queue", "pause", "mail"});
  sandbox.ok({"queue", "set", "mail", "max_size=10"});
  sandbox.ok({"add", "-Q", "mail", "--", "true"});
  sandbox.add_sh("sleep 60");
  sandbox.wait_for("started");
  const Ended bare = sandbox.tq({});
  TQ_CHECK_ENDED(bare, 0);
  BOOST_TEST(contains(bare.out, "1/10"));
  BOOST_TEST(contains(bare.out, "paused"));
  BOOST_TEST(contains(bare.out, "sh -c 'sleep 60'"));
  BOOST_TEST(lines(bare.out).size() == 6u);
}

BOOST_AUTO_TEST_CASE(bare_tq_gives_a_person_a_hint) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  Start start = sandbox.how({});
  start.standard_output = Stdout::terminal;
  BOOST_TEST(contains(Process(start).finish().out, "no workers; 'tq worker' runs jobs"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
