#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_result)

BOOST_AUTO_TEST_CASE(prints_the_bytes_that_the_handler_returned) {
  const Sandbox sandbox;
  sandbox.ok({"put", "t", "--raw", "-"}, std::string("\0\xff", 2));
  sandbox.ok({"put", "t", "--raw", "text"});
  sandbox.drain_task("t", [](const Payload& payload, Context&) { return payload; });
  BOOST_TEST(sandbox.ok({"result", "1"}) == std::string("\0\xff", 2));
  BOOST_TEST(sandbox.ok({"result", "2", "1"}) == std::string("text\0\xff", 6));
  BOOST_TEST(sandbox.ok({"result", "--json", "1-2"}) ==
             "{\"v\":1,\"id\":1,\"codec\":\"raw\",\"result\":{\"base64\":\"AP8=\"}}\n"
             "{\"v\":1,\"id\":2,\"codec\":\"raw\",\"result\":\"text\"}\n");
}

BOOST_AUTO_TEST_CASE(json_is_a_value_as_json) {
  const Sandbox sandbox;
  sandbox.ok({"put", "t", "{\"a b\": [1,\n 2.50]}"});
  sandbox.drain_task("t", [](const Payload& payload, Context&) { return payload; });
  BOOST_TEST(sandbox.ok({"result", "1"}) == "{\"a b\": [1,\n 2.50]}");
  BOOST_TEST(sandbox.ok({"result", "--json", "1"}) ==
             "{\"v\":1,\"id\":1,\"codec\":\"json\",\"result\":{\"a b\":[1,2.50]}}\n");
}

BOOST_AUTO_TEST_CASE(a_terminal_gets_an_end_of_line) {
  const Sandbox sandbox;
  sandbox.ok({"put", "t", "--raw", "text"});
  sandbox.drain_task("t", [](const Payload& payload, Context&) { return payload; });
  Start start = sandbox.how({"result", "1"});
  start.standard_output = Stdout::terminal;
  BOOST_TEST(Process(start).finish().out == "text\n");
}

BOOST_AUTO_TEST_CASE(no_result_is_a_conflict_and_no_job_is_none) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 3");
  sandbox.drain();
  sandbox.ok({"add", "--", "true"});
  check_refused(sandbox.tq({"result", "1"}), 4, "job 1 has no result: failed: exit status 3");
  check_refused(sandbox.tq({"result", "2"}), 4, "job 2 is not over yet: it is ready");
  check_refused(sandbox.tq({"result", "3"}), 3, "there is no job 3");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
