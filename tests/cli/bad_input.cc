// What can never be right is refused whole, in one sentence that names it; nothing is stored.
#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

// Refused, and the store holds no job.
void check_not_added(const Sandbox& sandbox, const Words& arguments, const std::string& words, std::string input = {}) {
  check_refused(sandbox.tq(arguments, std::move(input)), 2, words);
  if (!std::filesystem::exists(sandbox.store())) return;
  BOOST_TEST(TaskQueue(std::filesystem::path(sandbox.store())).stats().enqueued == 0u);
}

BOOST_AUTO_TEST_SUITE(cli_bad_input)

BOOST_AUTO_TEST_CASE(numbers) {
  const Sandbox sandbox;
  for (const std::string bad : {"x", "1x", "1.5", "+1", "0x10", "--1", " 1"}) {
    check_not_added(sandbox, {"add", "--priority=" + bad, "--", "true"},
                    "--priority: '" + bad + "' is no whole number");
  }
  check_not_added(sandbox, {"add", "-p", "2147483648", "--", "true"}, "--priority: '2147483648' is out of bounds");
  check_not_added(sandbox, {"add", "-p", "-2147483649", "--", "true"}, "write a number from -2147483648 to 2147483647");
  check_not_added(sandbox, {"add", "--retries", "-1", "--", "true"}, "--retries: '-1' is out of bounds");
  check_not_added(sandbox, {"add", "--retries", "99999999999999999999", "--", "true"}, "--retries");
}

BOOST_AUTO_TEST_CASE(durations) {
  const Sandbox sandbox;
  for (const std::string option : {"--delay", "--timeout", "--result-ttl"}) {
    check_not_added(sandbox, {"add", option, "-5s", "--", "true"},
                    option + ": '-5s' is no duration: it must not be negative");
    check_not_added(sandbox, {"add", option, "5", "--", "true"}, option + ": '5' is no duration: the unit is missing");
    check_not_added(sandbox, {"add", option, "5 parsecs", "--", "true"}, "is no unit");
    check_not_added(sandbox, {"add", option, "99999999999d", "--", "true"}, "at most");
    check_not_added(sandbox, {"add", option, "101y", "--", "true"}, "is no unit");
  }
  check_not_added(sandbox, {"add", "--expires", "0s", "--", "true"}, "expires is 0s: the job could never start");
  check_not_added(sandbox, {"add", "--expires", "2020-01-01T00:00:00Z", "--", "true"}, "it is past");
  check_not_added(sandbox, {"add", "--expires", "soon", "--", "true"}, "'soon' is neither a duration");
  check_not_added(sandbox, {"add", "--at", "25:00", "--", "true"}, "--at: '25:00' is no time");
  check_not_added(sandbox, {"add", "--at", "2026-02-30T00:00:00Z", "--", "true"}, "there is no such day");
  check_not_added(sandbox, {"add", "--at", "9999-01-01T00:00:00Z", "--", "true"}, "at most");
  check_not_added(sandbox, {"add", "-d", "1s", "--at", "+1s", "--", "true"}, "use one of them");
  check_not_added(sandbox, {"add", "--backoff", "5s", "--", "true"}, "--backoff: '5s' is no backoff: write const:5s");
  check_not_added(sandbox, {"add", "--backoff", "exp:1h..1s", "--", "true"}, "ends below where it begins");
  check_not_added(sandbox, {"add", "--backoff", "const:-1s", "--", "true"}, "it must not be negative");
}

BOOST_AUTO_TEST_CASE(names) {
  const Sandbox sandbox;
  const std::string long_name(129, 'n');
  check_not_added(sandbox, {"add", "-Q", long_name, "--", "true"},
                  "the queue name has 129 bytes: at most 128 are allowed");
  check_not_added(sandbox, {"add", "-Q", "", "--", "true"}, "the queue name is empty");
  check_not_added(sandbox, {"add", "-Q", "a\tb", "--", "true"}, "the queue name has a control character");
  check_not_added(sandbox, {"add", "-Q", "a,b", "--", "true"}, "has a comma");
  check_not_added(sandbox, {"add", "-Q", "\xc3\x28", "--", "true"}, "the queue name is not UTF-8");
  check_not_added(sandbox, {"put", long_name}, "the task name has 129 bytes");
  check_not_added(sandbox, {"put", "\xff"}, "the task name is not UTF-8");
  check_not_added(sandbox, {"add", "--label", long_name, "--", "true"}, "the label name has 129 bytes");
  Words many{"add"};
  for (int i = 0; i < 33; ++i) many.insert(many.end(), {"--label", "l" + std::to_string(i)});
  many.insert(many.end(), {"--", "true"});
  check_not_added(sandbox, many, "label is given 33 times: at most 32 are allowed");
  const std::string name = "ü" + std::string(126, 'n');
  BOOST_TEST(sandbox.ok({"add", "-Q", name, "--", "true"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(environment_and_commands) {
  const Sandbox sandbox;
  check_not_added(sandbox, {"add", "--env", "NOWHERE", "--", "true"}, "--env: 'NOWHERE' is not set here");
  check_not_added(sandbox, {"add", "--env", "=x", "--", "true"}, "'=x' has no name");
  check_not_added(sandbox, {"add", "--", ""}, "the command's name is empty");
  check_not_added(sandbox, {"add", "--stdin", "none", "--", "true"}, "cannot open 'none': No such file or directory");
  check_not_added(sandbox, {"add", "--stdin", ".", "--", "true"}, "'.' is a directory");
  check_not_added(sandbox, {"add", "--cwd", "", "--", "true"}, "--cwd");
}

BOOST_AUTO_TEST_CASE(a_command_that_is_too_long) {
  const Sandbox sandbox;
  Words words{"add", "--"};
  // The system takes no single argument of more than 128 KiB, and 2 MiB or so of them with the environment.
  for (int i = 0; i < 16; ++i) words.emplace_back(130'000, 'x');
  const Ended fits = sandbox.tq(words);
  BOOST_TEST((fits.code == 0 || fits.code == 2 || fits.code == 99), fits.err);
  if (fits.code == 2) BOOST_TEST(contains(fits.err, "arguments and environment have"));
}

BOOST_AUTO_TEST_CASE(a_payload_that_is_too_long) {
  const Sandbox sandbox;
  sandbox.write("big", "");
  std::filesystem::resize_file(sandbox.path("big"), kMaxBlobBytes + 1);
  check_not_added(sandbox, {"put", "t", "--raw", "@big"}, "at most that many are allowed");
  check_not_added(sandbox, {"add", "--stdin", "big", "--", "cat"}, "at most that many are allowed");
}

BOOST_AUTO_TEST_CASE(unknown_queues_tasks_states_and_ids) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  check_refused(sandbox.tq({"ls", "-Q", "none"}), 3, "there is no queue 'none'");
  check_refused(sandbox.tq({"dead", "ls", "-Q", "none"}), 3, "there is no queue 'none'");
  check_refused(sandbox.tq({"ls", "--state", "done"}), 2, "--state: 'done' is no state: there are blocked, scheduled");
  check_refused(sandbox.tq({"ls", "--state", "ready,"}), 2, "--state: '' is no state");
  for (const std::string verb : {"show", "why", "log", "result", "cancel", "kill", "retry", "rm"}) {
    check_refused(sandbox.tq({verb, "99"}), 3, "there is no job 99");
  }
}

BOOST_AUTO_TEST_CASE(text_that_is_no_utf8_is_shown_as_what_can_be_shown) {
  const Sandbox sandbox;
  const Ended ended = sandbox.tq({"\xff\x1b[31m"});
  TQ_CHECK_ENDED(ended, 2);
  BOOST_TEST(contains(ended.err, "'\xef\xbf\xbd\\x1b[31m'"));
}

BOOST_AUTO_TEST_CASE(every_word_may_be_nonsense) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  const Words words{"",   "-",   "--",        "---",          "-x",      "--x",  "--=", "-1",
                    "=",  "@",   "[1,2]",     "{}",           "a",       "a b",  "-qq", "-f",
                    "-h", "--h", "--no-json", "--json=maybe", "--queue", "\xff", "1-",  "ls"};
  for (const std::string verb : {"ls", "show", "put", "wait", "set", "queue", "dead", "log", "events"}) {
    for (const std::string& word : words) {
      Words arguments{verb, word};
      if (verb == "events" || verb == "wait") arguments.push_back("--bogus");
      const Ended ended = sandbox.tq(arguments);
      BOOST_TEST_INFO(verb << " " << word << " " << ended);
      BOOST_TEST(ended.code < 126);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
