#include "base/failpoint.hpp"
#include "queue/hand.hpp"
#include "queue/impl.hpp"
#include "queue/stores.hpp"
#include "store/damage.hpp"
#include "support/message_of.hpp"

#include <tq/upkeep.hpp>

#include <atomic>
#include <fstream>
#include <thread>

namespace tq {
namespace {

namespace fs = std::filesystem;
using test::check_clean;
using test::FileStore;
using test::Hand;
using test::ids;
using test::message_of;

// Jobs 1 to 5: succeeded with a large result, ready, running with a large payload, failed, and one in the intake.
struct UpkeepTest {
  test::TempDir dir;
  const std::string path = dir / "jobs.tq";
  const std::string to = dir / "to.tq";
  std::vector<Damage> lost;

  ~UpkeepTest() { base::failpoint::arm(""); }

  void fill(TaskQueue& queue, Hand& hand) const {
    queue.enqueue("work", {}, {.priority = 1});
    hand.succeed(hand.claim(), "fine");
    queue.enqueue("work", {"json", "{}"}, {.labels = {"a"}});
    queue.enqueue("work", {"raw", std::string(100'000, 'p')}, {.priority = 1});
    hand.write(hand.claim(), "output");
    queue.enqueue("work", {}, {.priority = 1});
    hand.fail(hand.claim());
    queue.enqueue("work", {"raw", "pending"});
    BOOST_TEST(queue.impl().environment->intake_is_pending());
  }
  // Without what runs. Nobody has it open afterwards.
  void make_quiet() const {
    TaskQueue queue(path);
    Hand hand(queue);
    fill(queue, hand);
  }
  // As in the original, but that what ran is ready.
  static void check_filled(const std::string& store) {
    TaskQueue queue(store, {.create = false});
    BOOST_TEST(ids(queue.list()) == "5 4 3 2 1");
    BOOST_TEST(queue.get(1)->state == State::succeeded);
    BOOST_TEST(queue.result(1)->value.bytes == "fine");
    BOOST_TEST(queue.payload(2)->bytes == "{}");
    BOOST_TEST(queue.get(2)->labels.size() == 1u);
    BOOST_TEST(queue.get(3)->state == State::ready);
    BOOST_TEST(queue.get(3)->crashes == 0u);
    BOOST_TEST((queue.payload(3)->bytes == std::string(100'000, 'p')));
    BOOST_TEST(queue.log(3).at(0).bytes == "output");
    BOOST_TEST(queue.get(4)->error == "boom");
    BOOST_TEST(queue.payload(5)->bytes == "pending");
    BOOST_TEST(queue.workers().empty());
    BOOST_TEST(queue.enqueue("work", {}) == 6u);
    check_clean(queue);
  }
  // Flips a bit of a record on the disk.
  template <class Key>
  void rot(const Key& key) const {
    const auto environment = store::Environment::open(path, {.create = false});
    store::WriteTransaction txn = environment->write();
    store::rot(txn, key);
    txn.commit();
  }
  Repaired repair_it() {
    return repair(path, [&](const Damage& damage) { lost.push_back(damage); });
  }
  static std::function<std::optional<Record>()> one_by_one(const std::vector<Record>& records) {
    return [&records, at = std::size_t{0}]() mutable {
      return at < records.size() ? std::optional(records[at++]) : std::nullopt;
    };
  }
};

BOOST_FIXTURE_TEST_SUITE(upkeep, UpkeepTest)

// --- backup and restore ---

BOOST_AUTO_TEST_CASE(a_backup_has_everything_and_what_ran_is_ready_in_it) {
  TaskQueue queue(path);
  Hand hand(queue);
  fill(queue, hand);
  std::uint64_t told = 0;
  const std::uint64_t records = backup(queue, to, [&](std::uint64_t done, std::uint64_t) { told = done; });
  BOOST_TEST(records > 20u);
  BOOST_TEST(told >= records);
  BOOST_TEST(queue.get(3)->state == State::running);
  check_filled(to);
  BOOST_TEST(queue.get(3)->state == State::running);
  BOOST_TEST(queue.list().size() == 5u);
  check_clean(queue);
}

BOOST_AUTO_TEST_CASE(a_store_in_memory_can_be_backed_up) {
  TaskQueue queue(":memory:");
  queue.enqueue("work", {"raw", std::string(100'000, 'x')});
  backup(queue, to);
  TaskQueue copy(to, {.create = false});
  BOOST_TEST((copy.payload(1)->bytes == std::string(100'000, 'x')));
  check_clean(copy);
}

BOOST_AUTO_TEST_CASE(a_backup_is_never_written_over_anything) {
  make_quiet();
  TaskQueue queue(path);
  backup(queue, to);
  BOOST_TEST(message_of<Conflict>([&] { backup(queue, to); }).starts_with("there is a file"));
  BOOST_CHECK_THROW(backup(queue, path), Conflict);
  check_filled(to);
}

BOOST_AUTO_TEST_CASE(a_backup_of_a_damaged_store_is_none) {
  make_quiet();
  rot(engine::JobKey{2});
  const TaskQueue queue(path);
  BOOST_CHECK_THROW(backup(queue, to), Damaged);
  BOOST_TEST(!fs::exists(to));
}

// Each job has a large payload, so that side files come and go.
BOOST_AUTO_TEST_CASE(a_backup_while_others_work_is_one_state) {
  TaskQueue queue(path);
  Hand hand(queue);
  std::atomic<bool> is_over = false;
  std::atomic<JobId> newest = 0;
  std::thread worker([&] {
    while (!is_over) {
      newest = queue.enqueue("work", {"raw", std::string(70'000, 'x')});
      queue.enqueue("work", {"raw", "small"});
      const auto claimed = hand.try_claim();
      hand.succeed(*claimed, "done");
      if (newest > 20) queue.remove(claimed->id);
    }
  });
  while (newest < 10) std::this_thread::yield();
  for (int round = 0; round < 5; ++round) {
    const std::string copy = dir / ("copy-" + std::to_string(round));
    const JobId before = newest;
    backup(queue, copy);
    TaskQueue opened(copy, {.create = false});
    check_clean(opened);
    BOOST_TEST(opened.stats().enqueued >= before);
    BOOST_TEST(opened.stats().count[static_cast<std::size_t>(State::running)] == 0u);
  }
  is_over = true;
  worker.join();
  check_clean(queue);
}

BOOST_AUTO_TEST_CASE(a_backup_is_restored_where_nothing_is) {
  make_quiet();
  { backup(TaskQueue(path), to); }
  const std::string back = dir / "back.tq";
  std::uint64_t told = 0;
  BOOST_TEST(restore(to, back, false, [&](std::uint64_t done, std::uint64_t) { told = done; }) > 20u);
  BOOST_TEST(told > 20u);
  check_filled(back);
  BOOST_CHECK_THROW(restore(to, back), Conflict);
  BOOST_CHECK_THROW(restore(dir / "nowhere.tq", dir / "other.tq"), NotFound);
  BOOST_TEST(!fs::exists(dir / "nowhere.tq"));
  BOOST_TEST(!fs::exists(dir / "other.tq"));
}

BOOST_AUTO_TEST_CASE(what_lies_in_the_intake_of_a_store_is_in_what_is_restored_from_it) {
  make_quiet();
  TaskQueue(path).enqueue("work", {"raw", "later"});
  restore(path, to);
  TaskQueue queue(to, {.create = false});
  BOOST_TEST(queue.payload(6)->bytes == "later");
  check_clean(queue);
}

BOOST_AUTO_TEST_CASE(a_restore_that_replaces_keeps_what_was_there) {
  make_quiet();
  { backup(TaskQueue(path), to); }
  {
    TaskQueue queue(path);
    for (const JobId id : {1u, 4u}) queue.remove(id);
    BOOST_CHECK_THROW(restore(to, path, true), Conflict);  // it is open
    queue.enqueue("work", {"raw", "pending there"});
  }
  restore(to, path, true);
  check_filled(path);
  TaskQueue replaced(path + "-replaced", {.create = false});
  BOOST_TEST(ids(replaced.list()) == "6 5 3 2");
  BOOST_TEST(replaced.payload(6)->bytes == "pending there");
  BOOST_TEST((replaced.payload(3)->bytes == std::string(100'000, 'p')));
  check_clean(replaced);
  BOOST_CHECK_THROW(restore(to, path, true), Conflict);  // there is one that was replaced
  check_clean(replaced);
}

BOOST_AUTO_TEST_CASE(a_restore_that_replaces_where_nothing_is_only_restores) {
  make_quiet();
  restore(path, to, true);
  BOOST_TEST(!fs::exists(to + "-replaced"));
  check_filled(to);
}

BOOST_AUTO_TEST_CASE(a_restore_that_failed_half_way_is_done_again) {
  make_quiet();
  { backup(TaskQueue(path), to); }
  TaskQueue(path).enqueue("work", {"raw", "pending there"});
  for (const char* step : {"store.blob.copied=error", "store.make.filled=full"}) {
    base::failpoint::arm(step);
    BOOST_CHECK_THROW(restore(to, path, true), IoError);
    base::failpoint::arm("");
    BOOST_TEST(!fs::exists(path + "-replaced"), step);
    BOOST_TEST(TaskQueue(path, {.create = false}).payload(6)->bytes == "pending there", step);  // nothing has changed
  }
  for (const char* step : {"store.aside.data=error", "store.aside.side=error@2", "store.replace.side=error"}) {
    base::failpoint::arm(step);
    BOOST_CHECK_THROW(restore(to, path, true), IoError);
    base::failpoint::arm("");
    BOOST_TEST(!fs::exists(path), step);
    if (step == std::string("store.aside.data=error")) {
      BOOST_TEST(message_of<Conflict>([&] { restore(to, path); }).find("was being replaced") != std::string::npos);
    }
    if (step == std::string("store.replace.side=error")) break;
    fs::rename(path + "-replaced", path);
    for (const char* side : {"-intake", "-blobs"}) {
      if (fs::exists(path + "-replaced" + side)) fs::rename(path + "-replaced" + side, path + side);
    }
  }
  restore(to, path, true);
  check_filled(path);
  for (const char* left : {"", "-blobs", "-locks"}) BOOST_TEST(!fs::exists(path + "-restored" + left), left);
  TaskQueue replaced(path + "-replaced", {.create = false});
  BOOST_TEST(replaced.payload(6)->bytes == "pending there");
  check_clean(replaced);
}

// --- export and import ---

BOOST_AUTO_TEST_CASE(what_is_exported_can_be_imported) {
  std::vector<Record> records;
  {
    TaskQueue queue(path);
    Hand hand(queue);
    fill(queue, hand);
    const std::uint64_t count = export_records(queue, [&](const Record& record) { records.push_back(record); });
    BOOST_TEST(count == records.size());
  }
  BOOST_TEST(import_records(to, one_by_one(records)) == records.size());
  check_filled(to);
  BOOST_CHECK_THROW(import_records(to, one_by_one(records)), Conflict);
  records.pop_back();
  BOOST_CHECK_THROW(import_records(dir / "other.tq", one_by_one(records)), InvalidArgument);
  BOOST_TEST(!fs::exists(dir / "other.tq"));
}

// --- repair ---

BOOST_AUTO_TEST_CASE(a_repair_of_a_sound_store_keeps_everything) {
  make_quiet();
  const Repaired repaired = repair_it();
  BOOST_TEST(repaired.records > 20u);
  BOOST_TEST(repaired.set_aside == 0u);
  BOOST_TEST(lost.empty());
  BOOST_TEST(repaired.changes.empty());
  BOOST_TEST(repaired.problems.empty());
  check_filled(path);
  BOOST_TEST(fs::exists(path + "-damaged"));
  BOOST_TEST(!fs::exists(path + "-damaged-blobs"));
}

BOOST_AUTO_TEST_CASE(a_repair_sets_aside_what_is_damaged_and_keeps_the_rest) {
  make_quiet();
  rot(engine::JobKey{2});
  rot(engine::EventKey{5});
  const Repaired repaired = repair_it();
  BOOST_TEST(repaired.set_aside == 2u);
  BOOST_TEST_REQUIRE(lost.size() == 2u);
  BOOST_TEST(lost[0].what == "job 2");
  BOOST_TEST(lost[0].tree == "jobs");
  BOOST_TEST(lost[1].what == "event 5");
  BOOST_TEST(repaired.changes.size() == 1u);
  BOOST_TEST(repaired.problems.empty());
  TaskQueue queue(path, {.create = false});
  BOOST_TEST(ids(queue.list()) == "5 4 3 1");
  BOOST_TEST(queue.enqueue("work", {}) == 6u);
  check_clean(queue);
}

BOOST_AUTO_TEST_CASE(an_intake_that_is_cut_off_gives_what_is_left_and_is_set_aside) {
  for (const std::uintmax_t bytes : {0u, 4096u, 600'013u}) {
    for (const std::string failing : {"", "store.make.kept", "store.make.end"}) {
      const test::TempDir fresh;
      const std::string store = fresh / "jobs.tq";
      {
        TaskQueue queue(store);
        for (const char* payload : {"first", "pending"}) queue.enqueue("work", {"raw", payload});
      }
      fs::resize_file(store + "-intake", bytes);
      BOOST_CHECK_THROW(TaskQueue(store).enqueue("work", {}), Damaged);
      const auto repair_store = [&] { repair(store, [](const Damage&) {}); };
      if (!failing.empty()) {
        base::failpoint::arm(failing + "=error");
        BOOST_CHECK_THROW(repair_store(), IoError);
        base::failpoint::arm("");
      }
      if (failing != "store.make.end") repair_store();
      BOOST_TEST(fs::file_size(store + "-damaged-intake") == bytes);
      TaskQueue queue(store, {.create = false});
      if (bytes != 0) BOOST_TEST(queue.payload(2)->bytes == "pending");
      BOOST_TEST(queue.enqueue("work", {}) == (bytes != 0 ? 3u : 2u));
      check_clean(queue);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_repair_is_refused_while_somebody_has_it_open) {
  BOOST_CHECK_THROW(repair_it(), NotFound);
  make_quiet();
  {
    const TaskQueue queue(path);
    BOOST_CHECK_THROW(repair_it(), Conflict);
  }
  BOOST_TEST(!fs::exists(path + "-damaged"));
  repair_it();
  BOOST_TEST(message_of<Conflict>([&] { repair_it(); }).find("from an earlier repair") != std::string::npos);
  check_filled(path);
}

BOOST_AUTO_TEST_CASE(a_repair_that_fails_leaves_the_old_store_and_is_done_again) {
  make_quiet();
  rot(engine::JobKey{2});
  for (const char* step : {"store.make.begin=error", "store.make.filled=full", "store.make.kept=error"}) {
    base::failpoint::arm(step);
    BOOST_CHECK_THROW(repair_it(), IoError);
    base::failpoint::arm("");
    BOOST_TEST(!TaskQueue(path).check(true).problems.empty(), step);
  }
  BOOST_TEST(repair_it().problems.empty());
  TaskQueue queue(path, {.create = false});
  BOOST_TEST(ids(queue.list()) == "5 4 3 1");
  check_clean(queue);
}

BOOST_AUTO_TEST_CASE(a_store_that_cannot_be_opened_for_its_intake_can_be_repaired) {
  make_quiet();
  {
    TaskQueue queue(path);
    queue.check();  // takes in
    queue.stats();
    for (const char* payload : {"one", "two", "three"}) queue.enqueue("work", {"raw", payload});
  }
  {
    std::fstream ring(path + "-intake");
    const std::string bytes(std::istreambuf_iterator<char>(ring), {});
    const auto at = bytes.find("two");
    BOOST_TEST_REQUIRE(at != bytes.npos);
    ring.seekp(static_cast<std::streamoff>(at));
    ring.write("TWO", 3);
  }
  BOOST_CHECK_THROW(TaskQueue(path).list(), Damaged);
  const Repaired repaired = repair_it();
  BOOST_TEST(repaired.changes.size() == 1u);
  BOOST_TEST(repaired.problems.empty());
  TaskQueue queue(path, {.create = false});
  BOOST_TEST(queue.payload(6)->bytes == "one");
  BOOST_TEST(!queue.get(7).has_value());
  BOOST_TEST(queue.payload(8)->bytes == "three");
  BOOST_TEST(queue.enqueue("work", {}) == 9u);
  check_clean(queue);
}

BOOST_AUTO_TEST_CASE(a_store_that_is_reached_by_a_symbolic_link_is_repaired_where_it_is) {
  make_quiet();
  TaskQueue(path).enqueue("work", {"raw", "pending"});
  const std::string elsewhere = dir / "elsewhere";
  fs::create_directory(elsewhere);
  fs::create_symlink(path, elsewhere + "/link.tq");
  repair(elsewhere + "/link.tq", [](const Damage&) {});
  BOOST_TEST(fs::exists(path + "-damaged"));
  BOOST_TEST(fs::is_symlink(elsewhere + "/link.tq"));
  TaskQueue queue(path, {.create = false});
  BOOST_TEST(queue.payload(6)->bytes == "pending");
  check_clean(queue);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
