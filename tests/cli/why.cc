#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_why)

BOOST_AUTO_TEST_CASE(reasons_are_sentences_each_on_a_line) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"queue", "pause", "default"});
  const Words one = lines(sandbox.ok({"why", "2"}));
  BOOST_TEST(one.size() == 3u);
  BOOST_TEST(one[0] == "queue 'default' is paused");
  const Words two = lines(sandbox.ok({"why", "1-2"}));
  BOOST_TEST(two.size() == 5u);
  BOOST_TEST(two[0].starts_with("1: "));
  check_refused(sandbox.tq({"why", "7"}), 3, "there is no job 7");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
