#include "cli/sandbox.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <unistd.h>

namespace tq::test {
namespace {

// Changes each place where `bytes` stand in the file.
void damage(const std::string& path, const std::string& bytes) {
  const auto fd = base::open_file(path, O_RDWR);
  const std::string all = base::read_all(fd.get(), path);
  for (std::size_t at = all.find(bytes); at != all.npos; at = all.find(bytes, at + 1)) {
    BOOST_REQUIRE(::pwrite(fd.get(), "!", 1, static_cast<off_t>(at)) == 1);
  }
}

// Two jobs, of which the first one's record is damaged.
struct Broken {
  Broken() {
    sandbox.ok({"put", "t", "--raw", "a payload that is easily found"});
    sandbox.ok({"put", "t", "--raw", "another"});
    sandbox.ok({"queue", "pause", "default"});  // a transaction, which takes in the intake
    damage(sandbox.store(), "a payload that is easily found");
  }
  Sandbox sandbox;
};

BOOST_AUTO_TEST_SUITE(cli_repair)

BOOST_AUTO_TEST_CASE(a_sound_store_is_left_as_it_is) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  const Ended ended = sandbox.tq({"check", "--repair"});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(contains(ended.err, "nothing to repair"));
  BOOST_TEST(!std::filesystem::exists(sandbox.store() + "-damaged"));
}

BOOST_AUTO_TEST_CASE(what_is_whole_is_kept_and_what_is_damaged_is_set_aside) {
  const Broken broken;
  const Ended ended = broken.sandbox.tq({"check", "--repair"});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(contains(ended.err, "1 set aside"));
  BOOST_TEST(broken.sandbox.ok({"-q", "ls"}) == "2\n");
  const Words aside = lines(broken.sandbox.read("jobs.tq-damaged.ndjson"));
  BOOST_REQUIRE(aside.size() == 1u);
  BOOST_TEST(contains(aside[0], "\"what\":\"job 1\""));
  BOOST_TEST(broken.sandbox.ok({"check", "--deep"}) == "");
}

BOOST_AUTO_TEST_CASE(the_damaged_file_is_kept_and_a_second_repair_does_not_overwrite_it) {
  const Broken broken;
  broken.sandbox.ok({"check", "--repair"});
  BOOST_TEST(broken.sandbox.tq({"--file", broken.sandbox.store() + "-damaged", "check"}).code == 7);
  damage(broken.sandbox.store(), "another");
  check_refused(broken.sandbox.tq({"check", "--repair"}), 4, "from an earlier repair");
  std::filesystem::remove(broken.sandbox.store() + "-damaged");
  broken.sandbox.ok({"check", "--repair"});
}

BOOST_AUTO_TEST_CASE(a_repair_waits_for_nobody_who_has_the_store_open) {
  const Broken broken;
  auto worker = std::make_unique<BackgroundWorker>(broken.sandbox, Words{"-Q", "nothing"});
  broken.sandbox.wait_for("worker_started");
  check_refused(broken.sandbox.tq({"check", "--repair"}), 4, "end the workers");
  BOOST_TEST(!std::filesystem::exists(broken.sandbox.store() + "-damaged"));
  worker.reset();
  broken.sandbox.ok({"check", "--repair"});
}

BOOST_AUTO_TEST_CASE(a_repair_that_is_killed_leaves_the_old_store_or_the_new_one_and_can_be_done_again) {
  for (const char* failpoint : {"store.make.filled", "store.make.synced", "store.make.kept", "store.make.end"}) {
    BOOST_TEST_CONTEXT(failpoint) {
      const Broken broken;
      Start how = broken.sandbox.how({"check", "--repair"});
      how.env["TQ_FAILPOINT"] = std::string(failpoint) + "=exit";
      TQ_CHECK_ENDED(Process(how).finish(), 137);
      broken.sandbox.ok({"check", "--repair"});
      BOOST_TEST(broken.sandbox.ok({"-q", "ls"}) == "2\n");
    }
  }
}

BOOST_AUTO_TEST_CASE(pages_that_are_lost_take_their_records_with_them_and_no_others) {
  Sandbox sandbox;
  std::string batch;
  for (int i = 0; i < 300; ++i) batch += "{\"task\":\"t\",\"payload\":\"" + std::string(300, 'p') + "\"}\n";
  sandbox.ok({"put", "--batch", "-"}, batch);
  const std::string whole = sandbox.read("jobs.tq");
  Random random;
  for (int round = 0; round < 20; ++round) {
    const std::uint64_t page = 2 + random.below(whole.size() / 4096 - 2);
    std::string damaged = whole;
    damaged.replace(page * 4096, 4096, 4096, '\0');
    sandbox.write("jobs.tq", damaged);
    const Ended ended = sandbox.tq({"check", "--repair"});
    BOOST_TEST_CONTEXT("page " << page << ", " << ended.out << ended.err) {
      if (ended.code == 0) {
        BOOST_TEST(sandbox.ok({"check", "--deep"}) == "");
      } else {
        BOOST_TEST(ended.code == 7);
        BOOST_TEST(contains(ended.err, "only restored from a backup"));
      }
    }
    std::filesystem::remove(sandbox.path("jobs.tq-damaged"));
  }
  sandbox.write("jobs.tq", whole);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
