#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

Payload payload_of(const Sandbox& sandbox, JobId id) {
  return TaskQueue(std::filesystem::path(sandbox.store())).payload(id).value();
}

BOOST_AUTO_TEST_SUITE(cli_put)

BOOST_AUTO_TEST_CASE(takes_json_byte_for_byte_from_where_it_is) {
  const Sandbox sandbox;
  // A number that no double holds, and a key that is there twice: whoever reads it sees what was written.
  const std::string json = R"({"n": 12345678901234567890123,  "a":1, "a":2})";
  sandbox.write("payload", json + "\n");
  BOOST_TEST(sandbox.ok({"put", "resize", json}) == "1\n");
  BOOST_TEST(sandbox.ok({"put", "resize", "-"}, json) == "2\n");
  BOOST_TEST(sandbox.ok({"put", "resize", "@payload"}) == "3\n");
  BOOST_TEST((payload_of(sandbox, 1) == Payload{"json", json}));
  BOOST_TEST((payload_of(sandbox, 2) == Payload{"json", json}));
  BOOST_TEST((payload_of(sandbox, 3) == Payload{"json", json + "\n"}));
}

BOOST_AUTO_TEST_CASE(any_json_value_will_do) {
  const Sandbox sandbox;
  const Words values{"[1,2]", "\"text\"", "-5", "null", "true"};
  for (const std::string& value : values) sandbox.ok({"put", "t", value});
  for (std::size_t i = 0; i < values.size(); ++i) BOOST_TEST(payload_of(sandbox, i + 1).bytes == values[i]);
}

BOOST_AUTO_TEST_CASE(nothing_is_an_empty_payload) {
  const Sandbox sandbox;
  sandbox.ok({"put", "t"});
  BOOST_TEST((payload_of(sandbox, 1) == Payload{"raw", ""}));
}

BOOST_AUTO_TEST_CASE(raw_takes_any_bytes) {
  const Sandbox sandbox;
  const std::string bytes("\0\xff{", 3);
  sandbox.ok({"put", "--raw", "t", "-"}, bytes);
  sandbox.ok({"put", "t", "not json", "--raw"});
  BOOST_TEST((payload_of(sandbox, 1) == Payload{"raw", bytes}));
  BOOST_TEST((payload_of(sandbox, 2) == Payload{"raw", "not json"}));
}

BOOST_AUTO_TEST_CASE(what_is_no_json_is_refused_with_the_place) {
  const Sandbox sandbox;
  check_refused(sandbox.tq({"put", "t", "{\"a\": 1"}), 2, "it ends too early");
  check_refused(sandbox.tq({"put", "t", "{a: 1}"}), 2, "byte 2 is wrong");
  check_refused(sandbox.tq({"put", "t", "text"}), 2, "--raw takes bytes as they are");
  check_refused(sandbox.tq({"put", "t", "-"}, "\"\xff\""), 2, "not JSON");
  check_refused(sandbox.tq({"put", "t", "@none"}), 2, "cannot open 'none'");
  BOOST_TEST(!std::filesystem::exists(sandbox.store()));
}

BOOST_AUTO_TEST_CASE(a_task_keeps_its_options_and_three_retries) {
  const Sandbox sandbox;
  sandbox.ok({"put", "t", "{}", "-Q", "images", "-p", "3", "--label", "x"});
  const JobInfo job = TaskQueue(std::filesystem::path(sandbox.store())).get(1).value();
  BOOST_TEST(job.queue == "images");
  BOOST_TEST(job.priority == 3);
  BOOST_TEST(job.max_retries == 3u);
  BOOST_TEST(job.labels == (std::vector<std::string>{"x"}));
}

BOOST_AUTO_TEST_CASE(waits_for_the_end_on_request) {
  const Sandbox sandbox;
  Process waiting = sandbox.start({"put", "-w", "greet", "{}"});
  waiting.read_until("1\n");
  sandbox.drain_task("greet", [](const Payload&, Context&) -> Payload { throw Verdict::fail("no such person"); });
  const Ended ended = waiting.finish();
  TQ_CHECK_ENDED(ended, 1);
  BOOST_TEST(ended.out == "1\n");
  BOOST_TEST(ended.err == "tq: job 1 failed: no such person\n");
}

BOOST_AUTO_TEST_CASE(a_command_is_not_put) {
  const Sandbox sandbox;
  check_refused(sandbox.tq({"put", "exec", "{}"}), 2, "task 'exec' takes a command");
}

BOOST_AUTO_TEST_CASE(says_what_does_not_go_together) {
  const Sandbox sandbox;
  check_refused(sandbox.tq({"put"}), 2, "TASK is missing");
  check_refused(sandbox.tq({"put", "t", "{}", "more"}), 2, "'more' is one argument too many");
  check_refused(sandbox.tq({"put", "t", "--continue"}), 2, "--continue is for --batch");
  check_refused(sandbox.tq({"put", "t", "{}", "--batch", "-"}), 2, "--batch takes its payloads from its lines");
  check_refused(sandbox.tq({"put", "--raw", "--batch", "-"}), 2, "payload_base64");
  check_refused(sandbox.tq({"put", "-w", "--batch", "-"}), 2, "--batch does not wait");
  check_refused(sandbox.tq({"put", "--batch", "none"}), 2, "cannot open 'none'");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
