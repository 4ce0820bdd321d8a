#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_completions)

BOOST_AUTO_TEST_CASE(completions_know_every_verb_and_option) {
  const Sandbox sandbox;
  for (const std::string shell : {"bash", "zsh", "fish"}) {
    const std::string script = sandbox.ok({"completions", shell});
    for (const std::string word : {"add", "completions", "purge", "resume"}) BOOST_TEST(contains(script, word), shell);
    for (const std::string option : {"result-ttl", "max-crashes", "drain"}) BOOST_TEST(contains(script, option), shell);
    BOOST_TEST(contains(script, "tq queue ls -q"), shell);
  }
  check_refused(sandbox.tq({"completions", "ksh"}), 2, "write bash, zsh or fish");
  check_refused(sandbox.tq({"completions"}), 2, "SHELL is missing");
}

// What bash would offer for the last of these words.
std::string offered(const Sandbox& sandbox, const Words& words) {
  std::string script = sandbox.ok({"completions", "bash"}) + "\ntq() { \"$TQ\" \"$@\"; }\nCOMP_WORDS=(";
  for (const std::string& word : words) script += "'" + word + "' ";
  script += ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) + "\n_tq\necho \"${COMPREPLY[*]}\"\n";
  sandbox.write("script", script);
  Start start = sandbox.how({});
  start.env["TQ"] = start.argv[0];
  start.argv = {"/bin/bash", sandbox.path("script")};
  const Ended ended = Process(start).finish();
  BOOST_TEST(ended.err == "");
  return ended.out;
}

BOOST_AUTO_TEST_CASE(bash_offers_what_fits) {
  const Sandbox sandbox;
  sandbox.ok({"add", "-Q", "mail", "--", "true"});
  BOOST_TEST(offered(sandbox, {"tq", "ad"}) == "add\n");
  BOOST_TEST(offered(sandbox, {"tq", "-f", "x", "wo"}) == "worker\n");
  BOOST_TEST(offered(sandbox, {"tq", "queue", "p"}) == "pause purge\n");
  BOOST_TEST(offered(sandbox, {"tq", "queue", "pause", ""}) == "mail\n");
  BOOST_TEST(offered(sandbox, {"tq", "add", "--re"}) == "--retries --result-ttl\n");
  BOOST_TEST(offered(sandbox, {"tq", "ls", "--state", "su"}) == "succeeded\n");
  BOOST_TEST(offered(sandbox, {"tq", "ls", "-Q", "m"}) == "mail\n");
  BOOST_TEST(offered(sandbox, {"tq", "show", ""}) == "1\n");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
