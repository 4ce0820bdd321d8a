#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_stats)

BOOST_AUTO_TEST_CASE(stats_count_everything) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 0");
  sandbox.add_sh("exit 1");
  sandbox.drain();
  sandbox.ok({"add", "--", "true"});
  const std::string text = sandbox.ok({"stats"});
  BOOST_TEST(contains(text, "ready      1\n"));
  BOOST_TEST(contains(text, "enqueued    3\n"));
  BOOST_TEST(contains(text, "failed      1\n"));
  const std::string json = sandbox.ok({"stats", "--json"});
  BOOST_TEST(json.starts_with("{\"v\":1,\"count\":{\"blocked\":0,\"scheduled\":0,\"ready\":1,"));
  BOOST_TEST(contains(
      json, "\"enqueued\":3,\"attempts\":2,\"succeeded\":1,\"failed\":1,\"cancelled\":0,\"expired\":0,\"crashes\":0,"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
