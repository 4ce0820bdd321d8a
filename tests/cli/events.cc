#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_events)

BOOST_AUTO_TEST_CASE(prints_the_log_oldest_first) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 3");
  sandbox.drain();
  const Words rows = lines(sandbox.ok({"events", "--job", "1"}));
  BOOST_REQUIRE(rows.size() == 3u);
  BOOST_TEST(contains(rows[0], "enqueued         job 1"));
  BOOST_TEST(contains(rows[1], "started          job 1 attempt 1 worker 1"));
  BOOST_TEST(contains(rows[2], "failed           job 1 attempt 1 worker 1: exit status 3"));
}

BOOST_AUTO_TEST_CASE(chooses_by_number_time_and_type) {
  const Sandbox sandbox;
  for (int i = 0; i < 3; ++i) sandbox.ok({"add", "--", "true"});
  const auto count = [&](Words options) {
    options.insert(options.begin(), {"events", "--json"});
    return lines(sandbox.ok(options)).size();
  };
  BOOST_TEST(count({}) == 4u);  // the queue's, and one each
  BOOST_TEST(count({"--from", "0"}) == 4u);
  BOOST_TEST(count({"--from", "3"}) == 2u);
  BOOST_TEST(count({"--from", "99"}) == 0u);
  BOOST_TEST(count({"--type", "enqueued"}) == 3u);
  BOOST_TEST(count({"--type", "queue_created,enqueued"}) == 4u);
  BOOST_TEST(count({"--job", "2"}) == 1u);
  BOOST_TEST(count({"--job", "99"}) == 0u);
  BOOST_TEST(count({"--since", "1h"}) == 4u);
  BOOST_TEST(count({"--since", "2100-01-01T00:00:00Z"}) == 0u);
  BOOST_TEST(count({"--since", "2020-01-01T00:00:00Z"}) == 4u);
  check_refused(sandbox.tq({"events", "--type", "finished"}), 2, "'finished' is no type of event");
  check_refused(sandbox.tq({"events", "--since", "yesterday"}), 2, "neither a duration");
  check_refused(sandbox.tq({"events", "--from", "-1"}), 2, "--from");
}

BOOST_AUTO_TEST_CASE(goes_on_with_what_happens_and_can_be_resumed) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  Process follow = sandbox.start({"events", "-f", "--type", "enqueued"});
  follow.read_until("job 1\n");
  sandbox.ok({"queue", "pause", "default"});  // is not wanted
  sandbox.ok({"add", "--", "true"});
  follow.read_until("job 2\n");
  Process resumed = sandbox.start({"events", "-f", "--from", "4", "--json"});
  resumed.read_until("\"id\":2");
  sandbox.ok({"add", "--", "true"});
  BOOST_TEST(!contains(resumed.read_until("\"id\":3"), "\"id\":1"));
}

BOOST_AUTO_TEST_CASE(pages_through_a_long_log) {
  const Sandbox sandbox;
  std::string batch;
  for (int i = 0; i < 3456; ++i) batch += "{\"task\":\"t\"}\n";
  sandbox.ok({"put", "--batch", "-"}, batch);
  BOOST_TEST(lines(sandbox.ok({"events", "--type", "enqueued"})).size() == 3456u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
