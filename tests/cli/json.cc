// The schema that scripts rely on: names, order and types of everything that --json prints.
#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <regex>

namespace tq::test {
namespace {

using Json = nlohmann::ordered_json;

std::vector<Json> parse_lines(const std::string& text) {
  std::vector<Json> all;
  for (const std::string& line : lines(text)) all.push_back(Json::parse(line));
  return all;
}

Json parse_one(const std::string& text) {
  const auto all = parse_lines(text);
  BOOST_REQUIRE(all.size() == 1u);
  BOOST_TEST(all[0].at("v") == 1);
  return all[0];
}

Words keys(const Json& object) {
  Words names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

bool is_time(const Json& value) {
  static const std::regex kTime(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)");
  return value.is_string() && std::regex_match(value.get<std::string>(), kTime);
}

const Words kJobKeys{
    "id",          "state",   "queue",         "task",         "command",   "priority",         "attempt",
    "max_retries", "crashes", "enqueued",      "due",          "started",   "finished",         "expires",
    "timeout_ms",  "backoff", "result_ttl_ms", "labels",       "worker",    "cancel_requested", "exit_code",
    "error",       "codec",   "payload_bytes", "result_bytes", "log_bytes", "log_dropped_bytes"};

Words with_version(Words names) {
  names.insert(names.begin(), "v");
  return names;
}

BOOST_AUTO_TEST_SUITE(cli_json)

BOOST_AUTO_TEST_CASE(a_job) {
  const Sandbox sandbox;
  BOOST_TEST(sandbox.ok({"add", "--json", "--label", "x", "--timeout", "5s", "--", "echo", "a b"}) ==
             "{\"v\":1,\"id\":1}\n");
  Json job = parse_one(sandbox.ok({"ls", "--json"}));
  BOOST_TEST(keys(job) == with_version(kJobKeys));
  BOOST_TEST(job["state"] == "ready");
  BOOST_TEST(job["command"] == (Json{"echo", "a b"}));
  BOOST_TEST(job["labels"] == (Json::array({"x"})));
  BOOST_TEST(job["timeout_ms"] == 5000);
  BOOST_TEST(job["backoff"].dump() == R"({"kind":"exp","base_ms":1000,"cap_ms":3600000,"jitter":0.1})");
  BOOST_TEST(is_time(job["enqueued"]));
  for (const char* const name : {"started", "finished", "expires", "result_ttl_ms", "worker", "exit_code"}) {
    BOOST_TEST(job[name].is_null(), name);
  }
  sandbox.drain();
  job = parse_one(sandbox.ok({"ls", "--json"}));
  BOOST_TEST(job["exit_code"] == 0);
  BOOST_TEST(job["worker"] == 1);
  BOOST_TEST(is_time(job["finished"]));
}

BOOST_AUTO_TEST_CASE(everything_about_a_job) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 3", {"--env", "A=b"});
  sandbox.ok({"put", "t", "{ \"a\" : [1, 2] }", "-d", "1h"});
  sandbox.ok({"put", "t", "--raw", "-"}, "\xff");
  sandbox.drain();
  const auto jobs = parse_lines(sandbox.ok({"show", "--json", "1-3"}));
  BOOST_REQUIRE(jobs.size() == 3u);
  BOOST_TEST(keys(jobs[0]).size() == with_version(kJobKeys).size() + 6);
  BOOST_TEST(jobs[0].at("cwd") == std::filesystem::path(sandbox.store()).parent_path().string());
  BOOST_TEST(jobs[0].at("env").at("A") == "b");
  BOOST_TEST(jobs[0].at("stdin_bytes") == 0);
  BOOST_REQUIRE(jobs[0].at("attempts").size() == 1u);
  BOOST_TEST(keys(jobs[0].at("attempts")[0]) == (Words{"attempt", "started", "ended", "outcome", "text"}));
  BOOST_TEST(jobs[0].at("attempts")[0].at("outcome") == "failed");
  BOOST_TEST(jobs[0].at("events").size() == 3u);
  BOOST_TEST(jobs[0].at("why").empty());
  BOOST_TEST(jobs[1].at("payload").dump() == R"({"a":[1,2]})");
  BOOST_TEST(jobs[1].at("why")[0].at("code") == "time");
  BOOST_TEST(jobs[2].at("payload").dump() == R"({"base64":"/w=="})");
}

BOOST_AUTO_TEST_CASE(an_event) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 3");
  sandbox.drain();
  const auto events = parse_lines(sandbox.ok({"events", "--json"}));
  std::uint64_t seq = 0;
  for (const Json& event : events) {
    BOOST_TEST(event.at("v") == 1);
    BOOST_TEST(event.at("seq") == ++seq);
    BOOST_TEST(is_time(event.at("time")));
    BOOST_TEST(event.at("type").is_string());
  }
  const Json failed = parse_one(sandbox.ok({"events", "--json", "--type", "failed"}));
  BOOST_TEST(keys(failed) == (Words{"v", "seq", "time", "type", "id", "attempt", "worker", "queue", "text"}));
  BOOST_TEST(failed.at("text") == "exit status 3");
}

BOOST_AUTO_TEST_CASE(a_progress_event_has_its_fraction) {
  const Sandbox sandbox;
  sandbox.ok({"put", "t"});
  sandbox.drain_task("t", [](const Payload&, Context& context) -> Payload {
    context.progress(0.25, "a quarter");
    return {};
  });
  const Json progress = parse_one(sandbox.ok({"events", "--json", "--type", "progress"}));
  BOOST_TEST(progress.at("fraction") == 0.25);
  BOOST_TEST(progress.at("text") == "a quarter");
}

BOOST_AUTO_TEST_CASE(queues_and_status) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"queue", "pause", "default"});
  const Json queue = parse_one(sandbox.ok({"queue", "ls", "--json"}));
  BOOST_TEST(keys(queue) == (Words{"v", "name", "paused", "max_size", "waiting", "unfinished", "count"}));
  BOOST_TEST(keys(queue.at("count")) == (Words{"blocked", "scheduled", "ready", "running", "retrying", "forwarded",
                                               "succeeded", "failed", "cancelled", "expired"}));
  BOOST_TEST(queue.at("paused") == true);
  BOOST_TEST(queue.at("max_size").is_null());
  BOOST_TEST(parse_one(sandbox.ok({"queue", "show", "--json", "default"})) == queue);
  sandbox.ok({"queue", "resume", "default"});
  BackgroundWorker worker(sandbox, {"-j", "3"});
  sandbox.add_sh("sleep 60");
  Process follow = sandbox.start({"events", "-f", "--job", "2"});
  follow.read_until("started");
  const Json status = parse_one(sandbox.ok({"--json"}));
  BOOST_TEST(keys(status) == (Words{"v", "file", "queues", "running", "workers"}));
  BOOST_TEST(status.at("file") == sandbox.store());
  BOOST_TEST(keys(status.at("running")[0]) == kJobKeys);
  BOOST_TEST(keys(status.at("workers")[0]) ==
             (Words{"id", "pid", "host", "started", "concurrency", "queues", "tasks", "alive", "stopping"}));
  BOOST_TEST(status.at("workers")[0].at("concurrency") == 3);
  BOOST_TEST(status.at("workers")[0].at("pid") == worker.process().pid());
}

BOOST_AUTO_TEST_CASE(output_and_reasons) {
  const Sandbox sandbox;
  sandbox.add_sh("printf '\\377'; echo err >&2");
  const Json why = parse_lines(sandbox.ok({"why", "--json", "1"})).at(0);
  BOOST_TEST(keys(why) == (Words{"v", "id", "code", "text"}));
  sandbox.drain();
  auto chunks = parse_lines(sandbox.ok({"log", "--json", "1"}));
  BOOST_REQUIRE(chunks.size() == 2u);
  // They come through two pipes, in either order.
  if (chunks[0].at("stream") == "stderr") std::swap(chunks[0], chunks[1]);
  BOOST_TEST(keys(chunks[0]) == (Words{"v", "id", "seq", "time", "attempt", "stream", "data"}));
  BOOST_TEST(chunks[0].at("stream") == "stdout");
  BOOST_TEST(chunks[0].at("data").dump() == R"({"base64":"/w=="})");
  BOOST_TEST(chunks[1].at("stream") == "stderr");
  BOOST_TEST(chunks[1].at("data") == "err\n");
}

BOOST_AUTO_TEST_CASE(run_ends_with_the_outcome) {
  const Sandbox sandbox;
  const Ended ended = sandbox.tq({"run", "--json", "--", "sh", "-c", "echo out; exit 3"});
  TQ_CHECK_ENDED(ended, 3);
  const auto all = parse_lines(ended.out);
  BOOST_REQUIRE(all.size() == 2u);
  BOOST_TEST(all[0].at("data") == "out\n");
  BOOST_TEST(keys(all[1]) == (Words{"v", "id", "state", "exit_code", "error"}));
  BOOST_TEST(all[1].at("exit_code") == 3);
}

BOOST_AUTO_TEST_CASE(what_json_must_escape_is_escaped) {
  const Sandbox sandbox;
  std::string all;
  for (int c = 1; c < 0x80; ++c) all += static_cast<char>(c);
  sandbox.ok({"add", "--", "echo", all, "ü€𝄞"});
  const Json job = parse_one(sandbox.ok({"ls", "--json"}));
  BOOST_TEST(job.at("command")[1] == all);
  BOOST_TEST(job.at("command")[2] == "ü€𝄞");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
