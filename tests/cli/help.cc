// Help, suggestions and the version: what `tq` says about itself.
#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

const Words kVerbs{"add",        "put",        "run",         "ls",           "status",      "show",
                   "why",        "log",        "result",      "wait",         "events",      "stats",
                   "cancel",     "kill",       "retry",       "rm",           "set",         "queue ls",
                   "queue show", "queue set",  "queue pause", "queue resume", "queue purge", "dead ls",
                   "dead retry", "dead purge", "worker",      "check",        "completions"};

Words split(const std::string& text) {
  Words words;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

BOOST_AUTO_TEST_SUITE(cli_help)

BOOST_AUTO_TEST_CASE(names_every_verb) {
  const Sandbox sandbox;
  const std::string text = sandbox.ok({"--help"});
  for (const std::string& verb : kVerbs) BOOST_TEST(contains(text, "\n  " + verb + " "), verb);
  BOOST_TEST(sandbox.ok({"help"}) == text);
  BOOST_TEST(sandbox.ok({"-h"}) == text);
}

BOOST_AUTO_TEST_CASE(every_verb_has_help_with_an_example_and_needs_no_store_for_it) {
  const Sandbox sandbox;
  for (const std::string& verb : kVerbs) {
    Words words = split(verb);
    words.emplace_back("--help");
    const std::string text = sandbox.ok(words);
    BOOST_TEST(text.starts_with("tq " + verb), verb);
    BOOST_TEST(contains(text, "\nExample:\n  "), verb);
    BOOST_TEST(contains(text, "--json"), verb);
    for (const std::string& line : lines(text)) BOOST_TEST(line.size() <= 110u, line);
  }
  BOOST_TEST(sandbox.ok({"help", "queue", "set"}) == sandbox.ok({"queue", "set", "-h"}));
}

BOOST_AUTO_TEST_CASE(a_command_keeps_its_own_help) {
  const Sandbox sandbox;
  BOOST_TEST(sandbox.ok({"add", "true", "--help"}) == "1\n");
  BOOST_TEST(sandbox.ok({"add", "--", "--help"}) == "2\n");
}

BOOST_AUTO_TEST_CASE(says_its_version) {
  const Sandbox sandbox;
  const std::string version = sandbox.ok({"--version"});
  BOOST_TEST(contains(version, "."));
  BOOST_TEST(lines(version).size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_mistyped_word_gets_a_suggestion) {
  const Sandbox sandbox;
  check_refused(sandbox.tq({"ad", "--", "true"}), 2, "there is no command 'ad': did you mean 'add'?");
  check_refused(sandbox.tq({"quue", "ls"}), 2, "there is no command 'quue': did you mean 'queue'?");
  check_refused(sandbox.tq({"queue", "pasue", "x"}), 2, "there is no command 'queue pasue': did you mean 'pause'?");
  check_refused(sandbox.tq({"queue", "xyzzyx"}), 2, "there are ls, show, set, pause, resume, purge");
  check_refused(sandbox.tq({"xyzzyx"}), 2, "there is no command 'xyzzyx': 'tq --help' lists them");
  check_refused(sandbox.tq({"ls", "--stat", "ready"}), 2, "there is no option '--stat': did you mean '--state'?");
  check_refused(sandbox.tq({"ls", "--stat=ready"}), 2, "there is no option '--stat': did you mean '--state'?");
  check_refused(sandbox.tq({"ls", "-z"}), 2, "there is no option '-z'");
  check_refused(sandbox.tq({"--jsno", "ls"}), 2, "there is no option '--jsno': did you mean '--json'?");
  check_refused(sandbox.tq({"ls", "--state"}), 2, "--state needs a value: write --state STATE[,STATE]");
  check_refused(sandbox.tq({"ls", "-Q"}), 2, "--queue needs a value");
  check_refused(sandbox.tq({"ls", "--queue="}), 2, "--queue needs a value");
  check_refused(sandbox.tq({"-f"}), 2, "--file needs a value");
  check_refused(sandbox.tq({"show"}), 2, "ID is missing: tq show ID...");
  check_refused(sandbox.tq({"add"}), 2, "COMMAND is missing: tq add [OPTION...] [--] COMMAND [ARG...]");
  check_refused(sandbox.tq({"add", "--dealy", "5s", "--", "true"}), 2, "did you mean '--delay'?");
  check_refused(sandbox.tq({"status", "now"}), 2, "'now' is one argument too many");
}

BOOST_AUTO_TEST_CASE(options_of_all_stand_before_or_after_the_verb) {
  const Sandbox sandbox;
  const std::string other = sandbox.path("other.tq");
  sandbox.ok({"-f", other, "add", "--", "true"});
  sandbox.ok({"add", "-f" + other, "--", "true"});
  sandbox.ok({"add", "--file=" + other, "--", "true"});
  BOOST_TEST(sandbox.ok({"-qf", other, "ls"}) == "3\n2\n1\n");
  BOOST_TEST(sandbox.ok({"ls", "-qf", other}) == "3\n2\n1\n");
  BOOST_TEST(sandbox.ok({"log", "--file", other, "1"}) == "");
  BOOST_TEST(!std::filesystem::exists(sandbox.store()));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
