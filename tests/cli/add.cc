#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

#include <set>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_add)

BOOST_AUTO_TEST_CASE(prints_the_id_alone) {
  const Sandbox sandbox;
  BOOST_TEST(sandbox.ok({"add", "--", "true"}) == "1\n");
  const Ended second = sandbox.tq({"add", "--", "true"});
  BOOST_TEST(second.out == "2\n");
  BOOST_TEST(second.err == "");
}

BOOST_AUTO_TEST_CASE(takes_everything_after_the_first_word_as_the_command) {
  const Sandbox sandbox;
  sandbox.ok({"add", "-Q", "x", "printf", "%s ", "-Q", "y", "--json", "--", "-h"});
  sandbox.ok({"worker", "--drain"});
  BOOST_TEST(sandbox.ok({"log", "1"}) == "-Q y --json -- -h ");
}

BOOST_AUTO_TEST_CASE(takes_a_command_that_begins_with_a_dash_after_two) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "--odd", "-x"});
  BOOST_TEST(contains(sandbox.ok({"ls"}), "--odd -x"));
}

BOOST_AUTO_TEST_CASE(keeps_what_its_options_say) {
  const Sandbox sandbox;
  sandbox.ok({"add", "-Q",        "mail",     "-p",        "-5",  "-d",        "1h",  "--retries",
              "4",   "--backoff", "const:7s", "--timeout", "30s", "--expires", "2d",  "--result-ttl",
              "1d",  "--label",   "a",        "--label",   "b",   "--",        "true"});
  const TaskQueue queue{std::filesystem::path(sandbox.store())};
  const JobInfo job = queue.get(1).value();
  BOOST_TEST(job.queue == "mail");
  BOOST_TEST(job.priority == -5);
  BOOST_TEST((job.state == State::scheduled));
  BOOST_TEST((job.due.value() - job.enqueued == std::chrono::hours{1}));
  BOOST_TEST(job.max_retries == 4u);
  BOOST_TEST((job.backoff.kind == Backoff::Kind::constant));
  BOOST_TEST((job.backoff.base == std::chrono::seconds{7}));
  BOOST_TEST((job.timeout == std::chrono::seconds{30}));
  BOOST_TEST((job.expires.value() - job.enqueued == std::chrono::hours{48}));
  BOOST_TEST((job.result_ttl.value() == std::chrono::hours{24}));
  BOOST_TEST(job.labels == (std::vector<std::string>{"a", "b"}));
}

BOOST_AUTO_TEST_CASE(the_last_of_an_option_that_is_given_twice_wins) {
  const Sandbox sandbox;
  sandbox.ok({"add", "-Q", "a", "--queue=b", "--", "true"});
  BOOST_TEST(sandbox.ok({"queue", "ls", "-q"}) == "b\n");
}

BOOST_AUTO_TEST_CASE(an_exponential_backoff_has_two_ends) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--backoff", "exp:2s..5m", "--", "true"});
  const TaskQueue queue{std::filesystem::path(sandbox.store())};
  const Backoff backoff = queue.get(1).value().backoff;
  BOOST_TEST((backoff.kind == Backoff::Kind::exponential));
  BOOST_TEST((backoff.base == std::chrono::seconds{2}));
  BOOST_TEST((backoff.cap == std::chrono::minutes{5}));
}

BOOST_AUTO_TEST_CASE(at_a_time_that_is_past_is_now) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--at", "2020-01-01T00:00:00Z", "--", "true"});
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "ready"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(a_command_keeps_its_directory_and_a_small_environment) {
  Sandbox sandbox;
  sandbox.env["LC_TIME"] = "C";
  sandbox.env["SECRET"] = "x";
  std::filesystem::create_directory(sandbox.path("dir"));
  Start start = sandbox.how({"add", "--", "sh", "-c", "pwd; env"});
  start.cwd = sandbox.path("dir");
  TQ_CHECK_ENDED(Process(start).finish(), 0);
  sandbox.env["LC_TIME"] = "other";
  sandbox.drain();
  const std::string log = sandbox.ok({"log", "1"});
  BOOST_TEST(log.starts_with(sandbox.path("dir") + "\n"));
  BOOST_TEST(contains(log, "LC_TIME=C\n"));
  BOOST_TEST(contains(log, "HOME=" + sandbox.env["HOME"]));
  BOOST_TEST(!contains(log, "SECRET"));
}

BOOST_AUTO_TEST_CASE(a_command_sees_what_job_it_is) {
  const Sandbox sandbox;
  const std::string script = "echo $TQ_JOB_ID $TQ_ATTEMPT $TQ_QUEUE; test \"$TQ_FILE\" = " + sandbox.store();
  sandbox.add_sh(script, {"-Q", "mail"});
  sandbox.drain();
  BOOST_TEST(sandbox.ok({"log", "1"}) == "1 1 mail\n");
  BOOST_TEST(sandbox.tq({"wait", "1"}).code == 0);
}

BOOST_AUTO_TEST_CASE(variables_are_taken_along_on_request) {
  Sandbox sandbox;
  sandbox.env["SECRET"] = "from here";
  sandbox.add_sh("echo $SECRET $OTHER", {"--env", "SECRET", "--env", "OTHER=a=b"});
  sandbox.add_sh("echo $SECRET", {"--env-all"});
  sandbox.add_sh("echo $HOME", {"--env", "HOME=/elsewhere"});
  sandbox.env.erase("SECRET");
  sandbox.drain();
  BOOST_TEST(sandbox.ok({"log", "1"}) == "from here a=b\n");
  BOOST_TEST(sandbox.ok({"log", "2"}) == "from here\n");
  BOOST_TEST(sandbox.ok({"log", "3"}) == "/elsewhere\n");
}

BOOST_AUTO_TEST_CASE(the_directory_may_be_another_and_relative) {
  const Sandbox sandbox;
  std::filesystem::create_directories(sandbox.path("a/b"));
  sandbox.add_sh("pwd", {"--cwd", "a/../a/b"});
  sandbox.add_sh("pwd", {"--cwd", "/"});
  sandbox.drain();
  BOOST_TEST(sandbox.ok({"log", "1"}) == sandbox.path("a/b") + "\n");
  BOOST_TEST(sandbox.ok({"log", "2"}) == "/\n");
}

BOOST_AUTO_TEST_CASE(standard_input_comes_from_a_file_or_from_tq) {
  const Sandbox sandbox;
  const std::string bytes("a\0b\xff\n", 5);
  sandbox.write("in", bytes);
  sandbox.ok({"add", "--stdin", "in", "--", "cat"});
  sandbox.ok({"add", "--stdin", "-", "--", "cat"}, "typed");
  sandbox.ok({"add", "--", "cat"}, "not for it");
  sandbox.drain();
  BOOST_TEST(sandbox.ok({"log", "1"}) == bytes);
  BOOST_TEST(sandbox.ok({"log", "2"}) == "typed");
  BOOST_TEST(sandbox.ok({"log", "3"}) == "");
}

BOOST_AUTO_TEST_CASE(wait_ends_with_the_code_of_the_job) {
  const Sandbox sandbox;
  BackgroundWorker worker(sandbox);
  const Ended ended = sandbox.tq({"add", "-w", "--", "sh", "-c", "echo hidden; exit 5"});
  TQ_CHECK_ENDED(ended, 5);
  BOOST_TEST(ended.out == "1\n");
  BOOST_TEST(ended.err == "");
}

BOOST_AUTO_TEST_CASE(follow_shows_the_output_after_the_id) {
  const Sandbox sandbox;
  BackgroundWorker worker(sandbox);
  const Ended ended = sandbox.tq({"add", "--follow", "--", "sh", "-c", "echo out; echo err >&2; exit 6"});
  TQ_CHECK_ENDED(ended, 6);
  BOOST_TEST(ended.out == "1\nout\n");
  BOOST_TEST(ended.err == "err\n");
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses) {
  const Sandbox sandbox;
  sandbox.ok({"queue", "set", "mail", "max_size=1"});
  sandbox.ok({"add", "-Q", "mail", "--", "true"});
  check_refused(sandbox.tq({"add", "-Q", "mail", "--", "true"}), 5, "queue 'mail' is full");
  BOOST_TEST(sandbox.ok({"ls", "-q"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(many_at_once_each_get_an_id_of_their_own) {
  const Sandbox sandbox;
  std::vector<Process> all;
  for (int i = 0; i < 16; ++i) all.push_back(sandbox.start({"add", "--", "true"}));
  std::set<std::string> ids;
  for (Process& process : all) {
    const Ended ended = process.finish();
    TQ_CHECK_ENDED(ended, 0);
    ids.insert(ended.out);
  }
  BOOST_TEST(ids.size() == 16u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
