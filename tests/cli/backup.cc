#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_backup)

// The verbs that work on the copy instead.
Words in(const std::string& file, Words arguments) {
  arguments.insert(arguments.begin(), {"--file", file});
  return arguments;
}

BOOST_AUTO_TEST_CASE(a_backup_is_a_store_of_its_own_with_all_that_was_acknowledged) {
  const Sandbox sandbox;
  sandbox.add_sh("echo before");
  sandbox.drain();
  sandbox.ok({"put", "t", "--raw", std::string(100'000, 'x')});
  sandbox.ok({"add", "--", "true"});
  const std::string copy = sandbox.path("copy.tq");
  const Ended ended = sandbox.tq({"backup", copy});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(contains(ended.err, "records in '" + copy + "'"));
  BOOST_TEST(sandbox.ok(in(copy, {"export"})) == sandbox.ok({"export"}));
  BOOST_TEST(sandbox.ok(in(copy, {"check", "--deep"})) == "");
}

BOOST_AUTO_TEST_CASE(a_backup_never_overwrites_anything) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.write("there", "mine");
  check_refused(sandbox.tq({"backup", sandbox.path("there")}), 4, "there is a file");
  BOOST_TEST(sandbox.read("there") == "mine");
}

BOOST_AUTO_TEST_CASE(a_backup_of_nothing_is_refused) {
  const Sandbox sandbox;
  check_refused(sandbox.tq({"backup", sandbox.path("copy.tq")}), 3, "there is no store");
  BOOST_TEST(!std::filesystem::exists(sandbox.path("copy.tq")));
}

BOOST_AUTO_TEST_CASE(compact_says_how_much_smaller_the_copy_is) {
  const Sandbox sandbox;
  std::string batch;
  for (int i = 0; i < 2000; ++i) batch += "{\"task\":\"t\",\"payload\":\"" + std::string(500, 'p') + "\"}\n";
  sandbox.ok({"put", "--batch", "-"}, batch);
  sandbox.ok({"queue", "purge", "default"});
  const std::string copy = sandbox.path("copy.tq");
  const Ended ended = sandbox.tq({"compact", copy});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(contains(ended.err, "where the store takes"));
  BOOST_TEST(std::filesystem::file_size(copy) * 2 < std::filesystem::file_size(sandbox.store()));
}

BOOST_AUTO_TEST_CASE(a_backup_that_is_killed_leaves_no_store_and_can_be_done_again) {
  const Sandbox sandbox;
  sandbox.ok({"put", "t", "--raw", std::string(100'000, 'x')});
  const std::string copy = sandbox.path("copy.tq");
  for (const char* failpoint : {"store.blob.copied", "store.make.filled", "store.create.synced"}) {
    Start how = sandbox.how({"backup", copy});
    how.env["TQ_FAILPOINT"] = std::string(failpoint) + "=exit";
    TQ_CHECK_ENDED(Process(how).finish(), 137);
    BOOST_TEST(!std::filesystem::exists(copy));
  }
  sandbox.ok({"backup", copy});
  BOOST_TEST(sandbox.ok(in(copy, {"check", "--deep"})) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
