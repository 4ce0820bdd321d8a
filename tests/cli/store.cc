// Which file is the store, and what is said if it is none that can be used.
#include "cli/sandbox.hpp"
#include "store/environment.hpp"
#include "store/format.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::test {
namespace {

// Refused by what reads and by what writes, and left as it is.
void check_left_alone(Sandbox& sandbox, const std::string& bytes, const std::string& words) {
  sandbox.checks_at_end = false;
  sandbox.write("jobs.tq", bytes);
  for (const Words& arguments : {Words{"ls"}, Words{"add", "--", "true"}, Words{"worker", "--drain"}, Words{"check"}}) {
    check_refused(sandbox.tq(arguments), 7, words);
    BOOST_TEST((sandbox.read("jobs.tq") == bytes));
  }
}

BOOST_AUTO_TEST_SUITE(cli_store)

BOOST_AUTO_TEST_CASE(the_option_is_before_the_variable_and_that_before_the_default) {
  Sandbox sandbox;
  sandbox.ok({"-f", "option.tq", "add", "--", "true"});
  BOOST_TEST(std::filesystem::exists(sandbox.path("option.tq")));
  sandbox.ok({"add", "--", "true"});
  BOOST_TEST(std::filesystem::exists(sandbox.store()));
  const std::string named = sandbox.store();
  sandbox.env["TQ_FILE"] = "";
  sandbox.ok({"add", "--", "true"});
  BOOST_TEST(std::filesystem::exists(sandbox.path(".local/state/tq/default.tq")));
  sandbox.env["XDG_STATE_HOME"] = sandbox.path("state");
  sandbox.ok({"add", "--", "true"});
  BOOST_TEST(std::filesystem::exists(sandbox.path("state/tq/default.tq")));
  sandbox.env.erase("XDG_STATE_HOME");
  sandbox.env.erase("HOME");
  check_refused(sandbox.tq({"add", "--", "true"}), 2, "use --file, TQ_FILE or HOME");
  sandbox.env["TQ_FILE"] = named;
  check_refused(sandbox.tq({"-f", "", "ls"}), 2, "--file: the name is empty");
}

BOOST_AUTO_TEST_CASE(what_only_looks_creates_nothing) {
  const Sandbox sandbox;
  for (const Words& arguments : {Words{},
                                 Words{"ls"},
                                 Words{"status"},
                                 Words{"show", "1"},
                                 Words{"why", "1"},
                                 Words{"log", "1"},
                                 Words{"result", "1"},
                                 Words{"wait", "--all"},
                                 Words{"events"},
                                 Words{"stats"},
                                 Words{"check"},
                                 Words{"queue", "ls"},
                                 Words{"dead", "ls"},
                                 Words{"cancel", "1"},
                                 Words{"kill", "1"},
                                 Words{"retry", "1"},
                                 Words{"rm", "1"},
                                 Words{"set", "1", "priority=1"},
                                 Words{"dead", "purge"},
                                 Words{"queue", "resume", "x"}}) {
    check_refused(sandbox.tq(arguments), 3, "there is no store at '" + sandbox.store() + "'");
  }
  check_refused(sandbox.tq({"wait", "1"}), 125, "there is no store");
  BOOST_TEST(std::filesystem::is_empty(std::filesystem::path(sandbox.store()).parent_path()));
}

BOOST_AUTO_TEST_CASE(is_private) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  struct stat status {};
  BOOST_REQUIRE(::stat(sandbox.store().c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777) == 0600u);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_store_is_left_alone) {
  Sandbox sandbox;
  check_left_alone(sandbox, "just some text, and not even much of it\n", "it is not a tq store");
  check_left_alone(sandbox, std::string(100'000, '\0'), "tq store");
}

BOOST_AUTO_TEST_CASE(an_empty_file_is_left_alone) {
  Sandbox sandbox;
  check_left_alone(sandbox, "", "store");
}

BOOST_AUTO_TEST_CASE(a_truncated_store_is_refused) {
  Sandbox sandbox;
  std::string batch;
  for (int i = 0; i < 1000; ++i) batch += "{\"task\":\"t\"}\n";
  sandbox.ok({"put", "--batch", "-"}, batch);
  const std::string whole = sandbox.read("jobs.tq");
  check_left_alone(sandbox, whole.substr(0, whole.size() / 2 / 4096 * 4096), "cannot open");
}

BOOST_AUTO_TEST_CASE(a_store_of_a_newer_format_is_left_alone) {
  Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  store::Format newer = store::current_format();
  newer.steps.push_back({newer.version, "to the future", [](store::WriteTransaction&) {}});
  ++newer.version;
  store::EnvironmentOptions options;
  options.format = &newer;
  store::Environment::open(sandbox.store(), options);
  check_left_alone(sandbox, sandbox.read("jobs.tq"), "newer");
}

BOOST_AUTO_TEST_CASE(a_directory_is_refused) {
  Sandbox sandbox;
  sandbox.checks_at_end = false;
  sandbox.env["TQ_FILE"] = std::filesystem::path(sandbox.store()).parent_path();
  check_refused(sandbox.tq({"ls"}), 7, "it is a directory");
  check_refused(sandbox.tq({"add", "--", "true"}), 7, "it is a directory");
}

BOOST_AUTO_TEST_CASE(a_file_that_one_may_not_open_is_refused) {
  Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  BOOST_REQUIRE(::chmod(std::filesystem::path(sandbox.store()).parent_path().c_str(), 0755) == 0);
  const auto as_nobody = [&](Words arguments) {
    Start start = sandbox.how(std::move(arguments));
    start.as_nobody = true;
    return Process(start).finish();
  };
  if (::geteuid() != 0) BOOST_REQUIRE(::chmod(sandbox.store().c_str(), 0) == 0);
  check_refused(as_nobody({"ls"}), 7, "Permission denied");
  check_refused(as_nobody({"add", "--", "true"}), 7, "Permission denied");
  if (::geteuid() == 0) {
    check_refused(as_nobody({"-f", "new.tq", "add", "--", "true"}), 7, "Permission denied");
    BOOST_TEST(!std::filesystem::exists(sandbox.path("new.tq")));
  } else {
    BOOST_REQUIRE(::chmod(sandbox.store().c_str(), 0600) == 0);
  }
}

BOOST_AUTO_TEST_CASE(a_directory_that_cannot_be_made_is_refused) {
  const Sandbox sandbox;
  sandbox.write("file", "");
  const Ended ended = sandbox.tq({"-f", "file/jobs.tq", "add", "--", "true"});
  TQ_CHECK_ENDED(ended, 7);
  BOOST_TEST(contains(ended.err, "file"));
}

BOOST_AUTO_TEST_CASE(the_current_directory_may_be_gone) {
  const Sandbox sandbox;
  std::filesystem::create_directory(sandbox.path("gone"));
  const auto from_nowhere = [&](Words arguments) {
    std::filesystem::create_directory(sandbox.path("gone"));
    Start start = sandbox.how(std::move(arguments));
    start.cwd = sandbox.path("gone");
    start.in_removed_cwd = true;
    return Process(start).finish();
  };
  check_refused(from_nowhere({"add", "--", "true"}), 2, "the current directory is gone");
  BOOST_TEST(from_nowhere({"add", "--cwd", "/", "--", "true"}).out == "1\n");
  BOOST_TEST(from_nowhere({"ls", "-q"}).out == "1\n");
  TQ_CHECK_ENDED(from_nowhere({"worker", "--drain"}), 0);
  const Ended relative = from_nowhere({"-f", "jobs.tq", "add", "--cwd", "/", "--", "true"});
  TQ_CHECK_ENDED(relative, 7);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
