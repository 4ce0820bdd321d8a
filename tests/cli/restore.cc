#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_restore)

// A store with a job, and a backup from before another one.
struct Backed {
  Backed() {
    sandbox.ok({"put", "t", "--raw", std::string(100'000, 'x')});
    sandbox.ok({"backup", copy});
    sandbox.ok({"add", "--", "later"});
  }
  Sandbox sandbox;
  std::string copy = sandbox.path("copy.tq");
};

BOOST_AUTO_TEST_CASE(a_store_is_never_replaced_unless_that_is_asked_for) {
  const Backed backed;
  check_refused(backed.sandbox.tq({"restore", backed.copy}), 4, "there is a file");
  BOOST_TEST(backed.sandbox.ok({"-q", "ls"}) == "2\n1\n");
}

BOOST_AUTO_TEST_CASE(a_store_that_is_replaced_stays_whole_under_another_name) {
  const Backed backed;
  backed.sandbox.ok({"restore", "--replace", backed.copy});
  BOOST_TEST(backed.sandbox.ok({"-q", "ls"}) == "1\n");
  const std::string aside = backed.sandbox.store() + "-replaced";
  BOOST_TEST(backed.sandbox.ok({"--file", aside, "-q", "ls"}) == "2\n1\n");
  BOOST_TEST(backed.sandbox.ok({"--file", aside, "check", "--deep"}) == "");
  check_refused(backed.sandbox.tq({"restore", "--replace", backed.copy}), 4, "from an earlier time");
}

BOOST_AUTO_TEST_CASE(a_store_is_made_where_none_was) {
  const Backed backed;
  const std::string other = backed.sandbox.path("new/other.tq");
  backed.sandbox.ok({"--file", other, "restore", backed.copy});
  BOOST_TEST(backed.sandbox.ok({"--file", other, "-q", "ls"}) == "1\n");
  BOOST_TEST(backed.sandbox.ok({"--file", other, "check", "--deep"}) == "");
}

BOOST_AUTO_TEST_CASE(a_store_that_is_in_use_is_not_replaced) {
  const Backed backed;
  BackgroundWorker worker(backed.sandbox, {"-Q", "nothing"});
  backed.sandbox.wait_for("worker_started");
  check_refused(backed.sandbox.tq({"restore", "--replace", backed.copy}), 4,
                "has '" + backed.sandbox.store() + "' open");
}

BOOST_AUTO_TEST_CASE(a_restore_that_is_killed_half_way_has_to_be_done_again) {
  const Backed backed;
  Start how = backed.sandbox.how({"restore", "--replace", backed.copy});
  how.env["TQ_FAILPOINT"] = "store.aside.data=exit";
  TQ_CHECK_ENDED(Process(how).finish(), 137);
  check_refused(backed.sandbox.tq({"restore", backed.copy}), 4, "do it again");
  backed.sandbox.ok({"restore", "--replace", backed.copy});
  BOOST_TEST(backed.sandbox.ok({"--file", backed.sandbox.store() + "-replaced", "check", "--deep"}) == "");
}

BOOST_AUTO_TEST_CASE(what_is_no_backup_is_refused) {
  const Backed backed;
  const std::string other = backed.sandbox.path("other.tq");
  check_refused(backed.sandbox.tq({"--file", other, "restore", backed.sandbox.path("nothing")}), 3,
                "there is no store");
  backed.sandbox.write("text", "no store");
  check_refused(backed.sandbox.tq({"--file", other, "restore", backed.sandbox.path("text")}), 7, "not a tq store");
  BOOST_TEST(!std::filesystem::exists(other));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
