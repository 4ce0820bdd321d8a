#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

std::string many(std::size_t count, const std::string& line = R"({"task":"t"})") {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += line + "\n";
  return all;
}

std::uint64_t count(const Sandbox& sandbox) {
  return TaskQueue(std::filesystem::path(sandbox.store())).stats().enqueued;
}

BOOST_AUTO_TEST_SUITE(cli_batch)

BOOST_AUTO_TEST_CASE(prints_the_ids_of_each_thousand_as_a_range) {
  const Sandbox sandbox;
  BOOST_TEST(sandbox.ok({"put", "--batch", "-"}, many(2500)) == "1-1000\n1001-2000\n2001-2500\n");
  BOOST_TEST(sandbox.ok({"put", "--batch", "-"}, many(1)) == "2501\n");
  BOOST_TEST(sandbox.ok({"put", "--batch", "-"}) == "");
}

BOOST_AUTO_TEST_CASE(reads_a_file) {
  const Sandbox sandbox;
  sandbox.write("jobs", R"({"task":"t"})");  // without an end of the line
  BOOST_TEST(sandbox.ok({"put", "--batch", "jobs"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(every_key_is_kept) {
  const Sandbox sandbox;
  sandbox.ok({"put", "--batch", "-"},
             R"({"task":"t\u0031","payload":{"a": [1, "}\"{"] , "n":1.50},"queue":"images","priority":5,"delay":"10s",)"
             R"("retries":7,"backoff":"const:2s","timeout":"1m","expires":"1d","result_ttl":"2h","label":["a","b"]})"
             "\n");
  const TaskQueue queue{std::filesystem::path(sandbox.store())};
  const JobInfo job = queue.get(1).value();
  BOOST_TEST(job.task == "t1");
  BOOST_TEST(queue.payload(1).value().bytes == R"({"a": [1, "}\"{"] , "n":1.50})");
  BOOST_TEST(queue.payload(1).value().codec == "json");
  BOOST_TEST(job.queue == "images");
  BOOST_TEST(job.priority == 5);
  BOOST_TEST((job.due.value() - job.enqueued == std::chrono::seconds{10}));
  BOOST_TEST(job.max_retries == 7u);
  BOOST_TEST((job.backoff.base == std::chrono::seconds{2}));
  BOOST_TEST((job.timeout == std::chrono::minutes{1}));
  BOOST_TEST((job.expires.value() - job.enqueued == std::chrono::hours{24}));
  BOOST_TEST((job.result_ttl.value() == std::chrono::hours{2}));
  BOOST_TEST(job.labels == (std::vector<std::string>{"a", "b"}));
}

BOOST_AUTO_TEST_CASE(text_and_bytes_are_payloads_too) {
  const Sandbox sandbox;
  sandbox.ok({"put", "--batch", "-"},
             "{\"task\":\"t\",\"payload\":\"text\"}\r\n\n  \n{ \"payload_base64\" : \"AP97\" , \"task\" : \"t\" }\n"
             "{\"task\":\"t\",\"label\":\"one\",\"queue\":null}\n");
  const TaskQueue queue{std::filesystem::path(sandbox.store())};
  BOOST_TEST((queue.payload(1).value() == Payload{"json", "\"text\""}));
  BOOST_TEST((queue.payload(2).value() == Payload{"raw", std::string("\0\xff{", 3)}));
  BOOST_TEST(queue.get(3).value().labels == (std::vector<std::string>{"one"}));
  BOOST_TEST(queue.get(3).value().queue == "default");
}

BOOST_AUTO_TEST_CASE(a_key_that_is_null_is_as_if_missing_but_a_payload_of_null_is_one) {
  const Sandbox sandbox;
  sandbox.ok({"put", "--batch", "-"}, R"({"task":"t","payload":null,"priority":null})"
                                      "\n"
                                      R"({"task":"t"})");
  const TaskQueue queue{std::filesystem::path(sandbox.store())};
  BOOST_TEST((queue.payload(1).value() == Payload{"json", "null"}));
  BOOST_TEST(queue.get(1).value().priority == 0);
  BOOST_TEST((queue.payload(2).value() == Payload{"raw", ""}));
}

BOOST_AUTO_TEST_CASE(options_hold_for_lines_that_do_not_say_otherwise) {
  const Sandbox sandbox;
  sandbox.ok({"put", "resize", "-Q", "images", "--label", "all", "--batch", "-"},
             "{}\n{\"task\":\"other\",\"queue\":\"mail\",\"label\":\"own\"}\n");
  const TaskQueue queue{std::filesystem::path(sandbox.store())};
  BOOST_TEST(queue.get(1).value().task == "resize");
  BOOST_TEST(queue.get(1).value().queue == "images");
  BOOST_TEST(queue.get(2).value().task == "other");
  BOOST_TEST(queue.get(2).value().queue == "mail");
  BOOST_TEST(queue.get(2).value().labels == (std::vector<std::string>{"all", "own"}));
}

BOOST_AUTO_TEST_CASE(a_bad_line_stops_it_and_the_lines_before_are_in) {
  const Sandbox sandbox;
  const Ended ended = sandbox.tq({"put", "--batch", "-"}, many(1200) + "{\"task\":1}\n" + many(5));
  TQ_CHECK_ENDED(ended, 2);
  BOOST_TEST(ended.out == "1-1000\n1001-1200\n");
  BOOST_TEST(contains(ended.err, "line 1201: task: 1 is no text"));
  BOOST_TEST(contains(ended.err, "1200 jobs"));
  BOOST_TEST(count(sandbox) == 1200u);
}

BOOST_AUTO_TEST_CASE(bad_lines_are_skipped_on_request_and_reported_at_the_end) {
  const Sandbox sandbox;
  const Ended ended = sandbox.tq({"put", "--continue", "--batch", "-"}, "nonsense\n" + many(2) + "[]\n" + many(1));
  TQ_CHECK_ENDED(ended, 2);
  BOOST_TEST(ended.out == "1-3\n");
  BOOST_TEST(contains(ended.err, "line 1: it is not JSON"));
  BOOST_TEST(contains(ended.err, "line 4: it is JSON, but no object"));
  BOOST_TEST(contains(ended.err, "2 bad lines skipped, 3 jobs added"));
}

BOOST_AUTO_TEST_CASE(what_only_the_store_refuses_is_found_among_a_thousand) {
  const Sandbox sandbox;
  const std::string bad = R"({"task":"t","queue":")" + std::string(200, 'q') + "\"}\n";
  const Ended ended = sandbox.tq({"put", "--batch", "-"}, many(700) + bad + many(299));
  TQ_CHECK_ENDED(ended, 2);
  BOOST_TEST(contains(ended.err, "line 701: the queue name has 200 bytes"));
  BOOST_TEST(count(sandbox) == 700u);
  const Ended skipping = sandbox.tq({"put", "--continue", "--batch", "-"}, many(7) + bad + many(9));
  BOOST_TEST(contains(skipping.err, "1 bad line skipped, 16 jobs added"));
  BOOST_TEST(count(sandbox) == 716u);
}

BOOST_AUTO_TEST_CASE(a_full_queue_takes_what_fits) {
  const Sandbox sandbox;
  sandbox.ok({"queue", "set", "default", "max_size=123"});
  const Ended ended = sandbox.tq({"put", "--continue", "--batch", "-"}, many(1000));
  TQ_CHECK_ENDED(ended, 5);
  BOOST_TEST(contains(ended.err, "123 jobs"));
  BOOST_TEST(contains(ended.err, "line 124: queue 'default' is full"));
  BOOST_TEST(count(sandbox) == 123u);
}

BOOST_AUTO_TEST_CASE(an_unknown_key_is_named_with_the_nearest) {
  const Sandbox sandbox;
  const auto reason = [&](const std::string& line) { return sandbox.tq({"put", "--batch", "-"}, line + "\n").err; };
  BOOST_TEST(contains(reason(R"({"task":"t","prioritty":1})"), "no key 'prioritty': did you mean 'priority'?"));
  BOOST_TEST(contains(reason(R"({"task":"t","xyzzy":1})"), "there is no key 'xyzzy'"));
  BOOST_TEST(contains(reason(R"({"task":"t","delay":10})"), "delay: '10' is no duration: the unit is missing"));
  BOOST_TEST(contains(reason(R"({"task":"t","priority":[1]})"), "priority: write one text or number"));
  BOOST_TEST(contains(reason(R"({"task":"t","priority":1.5})"), "priority: '1.5' is no whole number"));
  BOOST_TEST(contains(reason(R"({"task":"t","label":[1]})"), "label: 1 is no text"));
  BOOST_TEST(contains(reason(R"({"task":"t","payload":1,"payload_base64":""})"), "the payload is given twice"));
  BOOST_TEST(contains(reason(R"({"task":"t","payload_base64":"%"})"), "it is no base64"));
  BOOST_TEST(contains(reason(R"({"payload":1})"), "'task' is missing"));
  BOOST_TEST(contains(reason(R"({"task":"t"} {})"), "not JSON"));
  BOOST_TEST(contains(reason(R"({"task":"exec","payload":1})"), "task 'exec' takes a command"));
}

BOOST_AUTO_TEST_CASE(lines_that_come_slowly_are_not_held_back) {
  const Sandbox sandbox;
  Process process = sandbox.start({"put", "--batch", "-"});
  process.write(many(3));
  process.read_until("1-3\n");
  process.write(many(1));
  const Ended ended = process.finish();
  BOOST_TEST(ended.out == "1-3\n4\n");
}

BOOST_AUTO_TEST_CASE(ranges_are_objects_as_json) {
  const Sandbox sandbox;
  BOOST_TEST(sandbox.ok({"--json", "put", "--batch", "-"}, many(3)) ==
             "{\"v\":1,\"first\":1,\"last\":3,\"count\":3}\n");
}

BOOST_AUTO_TEST_CASE(long_lines_go_in_smaller_transactions) {
  const Sandbox sandbox;
  const std::string line = R"({"task":"t","payload":")" + std::string(3u << 20, 'x') + "\"}";
  const Words ranges = lines(sandbox.ok({"put", "--batch", "-"}, many(10, line)));
  BOOST_TEST(ranges.size() == 2u);
  BOOST_TEST(count(sandbox) == 10u);
}

BOOST_AUTO_TEST_CASE(what_is_in_stays_in_if_the_reader_of_the_ids_goes_away) {
  const Sandbox sandbox;
  Start start = sandbox.how({"put", "--batch", "-"}, many(2000));
  start.standard_output = Stdout::unread;
  const Ended ended = Process(start).finish();
  TQ_CHECK_ENDED(ended, 141);
  BOOST_TEST(ended.err == "");
  BOOST_TEST(count(sandbox) == 1000u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
