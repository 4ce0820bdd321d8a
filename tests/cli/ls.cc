#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_ls)

BOOST_AUTO_TEST_CASE(lists_jobs_newest_first_in_columns) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "sh", "-c", "it's"});
  sandbox.ok({"put", "resize", "{}", "--label", "x", "-d", "1h"});
  const Words rows = lines(sandbox.ok({"ls"}));
  BOOST_REQUIRE(rows.size() == 3u);
  BOOST_TEST(rows[0].starts_with("ID  STATE      QUEUE"));
  BOOST_TEST(rows[1].starts_with(" 2  scheduled  default"));
  BOOST_TEST(rows[1].ends_with("resize #x"));
  BOOST_TEST(rows[2].starts_with(" 1  ready      default"));
  BOOST_TEST(rows[2].ends_with("sh -c 'it'\\''s'"));
}

BOOST_AUTO_TEST_CASE(nothing_is_no_line) {
  const Sandbox sandbox;
  sandbox.ok({"queue", "pause", "default"});
  const Ended ended = sandbox.tq({"ls"});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(ended.out == "");
  BOOST_TEST(ended.err == "");
}

BOOST_AUTO_TEST_CASE(chooses_by_state_queue_task_and_label) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 0", {"-Q", "a", "--label", "x"});
  sandbox.add_sh("exit 1", {"-Q", "a"});
  sandbox.drain();
  sandbox.ok({"put", "t", "-Q", "b", "--label", "x"});
  sandbox.ok({"put", "t", "-Q", "b", "-d", "1h"});
  const auto ids = [&](Words options) {
    options.insert(options.begin(), {"ls", "-q"});
    return sandbox.ok(options);
  };
  BOOST_TEST(ids({}) == "4\n3\n2\n1\n");
  BOOST_TEST(ids({"--state", "failed"}) == "2\n");
  BOOST_TEST(ids({"--state", "succeeded,ready"}) == "3\n1\n");
  BOOST_TEST(ids({"-Q", "b"}) == "4\n3\n");
  BOOST_TEST(ids({"--task", "t", "--state", "scheduled"}) == "4\n");
  BOOST_TEST(ids({"--task", "none"}) == "");
  BOOST_TEST(ids({"--label", "x"}) == "3\n1\n");
  BOOST_TEST(ids({"--limit", "2"}) == "4\n3\n");
  BOOST_TEST(ids({"--limit", "0"}) == "");
  check_refused(sandbox.tq({"ls", "-Q", "none"}), 3, "there is no queue 'none'");
}

BOOST_AUTO_TEST_CASE(a_script_is_shown_all_however_many) {
  const Sandbox sandbox;
  std::string batch;
  for (int i = 0; i < 2345; ++i) batch += "{\"task\":\"t\"}\n";
  sandbox.ok({"put", "--batch", "-"}, batch);
  BOOST_TEST(lines(sandbox.ok({"ls"})).size() == 2346u);
  BOOST_TEST(lines(sandbox.ok({"ls", "--json"})).size() == 2345u);
  BOOST_TEST(lines(sandbox.ok({"ls", "-q", "--limit", "1234"})).size() == 1234u);
}

BOOST_AUTO_TEST_CASE(a_terminal_is_shown_a_hundred_that_fit_its_width) {
  Sandbox sandbox;
  sandbox.env["TERM"] = "xterm";
  std::string batch;
  for (int i = 0; i < 120; ++i)
    batch += R"({"task":"a-task-with-a-very-long-name-that-does-not-fit-into-a-line"})"
             "\n";
  sandbox.ok({"put", "--batch", "-"}, batch);
  Start start = sandbox.how({"ls"});
  start.standard_output = Stdout::terminal;
  start.columns = 60;
  const Words rows = lines(Process(start).finish().out);
  BOOST_REQUIRE(rows.size() == 102u);
  BOOST_TEST(contains(rows[0], "\x1b["));
  BOOST_TEST(rows[1].ends_with("…"));
  BOOST_TEST(rows[1].size() - std::string("…").size() + 1 <= 60u);
  BOOST_TEST(contains(rows[101], "--limit N for more"));
}

BOOST_AUTO_TEST_CASE(colours_come_and_go_as_told) {
  Sandbox sandbox;
  sandbox.env["TERM"] = "xterm";
  sandbox.add_sh("exit 1");
  sandbox.drain();
  const auto on_terminal = [&](Words arguments) {
    Start start = sandbox.how(std::move(arguments));
    start.standard_output = Stdout::terminal;
    return contains(Process(start).finish().out, "\x1b[");
  };
  BOOST_TEST(on_terminal({"ls"}));
  BOOST_TEST(!on_terminal({"ls", "--color", "never"}));
  BOOST_TEST(!contains(sandbox.ok({"ls"}), "\x1b"));
  BOOST_TEST(contains(sandbox.ok({"--color=always", "ls"}), "\x1b[31mfailed"));
  sandbox.env["NO_COLOR"] = "1";
  BOOST_TEST(!on_terminal({"ls"}));
  sandbox.env.erase("NO_COLOR");
  sandbox.env["TERM"] = "dumb";
  BOOST_TEST(!on_terminal({"ls"}));
  check_refused(sandbox.tq({"ls", "--color", "green"}), 2, "write auto, always or never");
}

BOOST_AUTO_TEST_CASE(what_a_terminal_would_obey_is_shown_as_text) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "echo", "\x1b]0;title\x07 a\nb", "\xff",
              "\xc2\x9b"
              "31m"});
  const std::string out = sandbox.ok({"ls"});
  BOOST_TEST(contains(out, "\\x1b]0;title\\x07 a\\nb"));
  BOOST_TEST(contains(out, "\xef\xbf\xbd"));
  BOOST_TEST(contains(out, "\\x9b31m"));
  BOOST_TEST(lines(out).size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
