// A disk of 16 MB that is filled to the last byte while workers have jobs in hand: what runs completes, what is added is
// refused with DiskFull, deleting goes on; and when there is room again all works, with every job that was acknowledged.
#include "crash/payloads.hpp"
#include "failing_calls/child.hpp"
#include "failing_calls/small_disk.hpp"
#include "queue/stores.hpp"
#include "support/marked.hpp"
#include "support/process.hpp"
#include "support/random.hpp"

#include <tq/worker.hpp>

#include <cstdlib>
#include <iostream>
#include <latch>
#include <set>
#include <sstream>
#include <sys/stat.h>

namespace tq {
namespace {

using test::check_clean;
using test::Ended;
using test::is_whole;
using test::kPatience;
using test::make_payload;
using test::Random;
using test::run_child;
using test::SmallDisk;
using test::TempDir;
namespace utf = boost::unit_test;

std::size_t acknowledged_in_all = 0;
std::size_t completed_in_all = 0;

// Adds jobs that nobody serves yet, until there is no room for the smallest. Returns the ids.
std::set<JobId> add_until_full(TaskQueue& queue, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::set<JobId> ids;
  for (const std::size_t size : {std::size_t{70'000}, std::size_t{9'000}, std::size_t{100}}) {
    for (bool full = false; !full;) {
      try {
        ids.insert(queue.enqueue("heap", make_payload(random, size), {.queue = "heap"}));
      } catch (const DiskFull& error) {
        BOOST_TEST(std::string(error.what()).find(queue.path().native()) != std::string::npos);
        full = true;
      }
    }
  }
  return ids;
}

void handle_all(Worker& worker, std::latch& full) {
  worker.handle("work", [&full](const Payload& payload, Context& context) {
    full.wait();
    context.log("it is full, and goes on");
    return payload;
  });
  worker.handle("heap", [](const Payload& payload, Context&) {
    BOOST_REQUIRE(is_whole(payload.bytes));
    return Payload{};
  });
}

void require_done(TaskQueue& queue, const std::set<JobId>& ids) {
  for (const JobId id : ids) {
    const auto result = queue.wait(id, kPatience);
    BOOST_REQUIRE_MESSAGE(result, "job " << id << " is not done");
    BOOST_TEST(result->state == State::succeeded, "job " << id << ": " << result->error);
  }
}

BOOST_AUTO_TEST_SUITE(full_disk)

BOOST_AUTO_TEST_CASE(what_runs_completes_on_a_full_disk_and_what_is_added_is_refused) {
  SmallDisk disk;
  Random random;
  std::latch full(1);
  TaskQueue queue(disk.path());
  std::mt19937_64 bytes(random.number());
  std::set<JobId> work;
  for (int i = 0; i < 40; ++i) work.insert(queue.enqueue("work", make_payload(bytes, 500)));
  Worker worker(queue, {.queues = {"default"}, .concurrency = 4});
  handle_all(worker, full);
  worker.start();
  for (EventSeq last = 0; queue.queue("default")->count[static_cast<int>(State::running)] < 4;)
    last = queue.wait_events(last, kPatience);

  const std::set<JobId> heap = add_until_full(queue, random.number());
  disk.fill();
  full.count_down();
  require_done(queue, work);
  BOOST_CHECK_THROW(queue.enqueue("heap", {}, {.queue = "heap"}), DiskFull);
  BOOST_CHECK_THROW(queue.enqueue("heap", make_payload(bytes, 70'000)), DiskFull);
  BOOST_TEST(queue.list({.queue = "heap", .limit = 1'000'000}).size() == heap.size());
  BOOST_TEST((queue.cancel(*heap.begin()) == CancelOutcome::cancelled));
  queue.remove(*heap.begin());
  check_clean(queue);
  worker.stop();
  worker.join();

  disk.make_room();
  std::set<JobId> rest(std::next(heap.begin()), heap.end());
  rest.insert(queue.enqueue("heap", make_payload(bytes, 70'000), {.queue = "heap"}));
  Worker later(queue, {.concurrency = 4, .drain = true});
  handle_all(later, full);
  later.run();
  require_done(queue, rest);
  check_clean(queue);
  acknowledged_in_all += work.size() + heap.size() + 1;
  completed_in_all += work.size();
}

// --- with the real command ---

Ended tq(const SmallDisk& disk, std::vector<std::string> words, const std::string& input = {}) {
  std::vector<std::string> argv = {"/bin/sh", "-c", "exec \"$@\" 2>&1", "sh", std::getenv("TQ_BIN"), "-f", disk.path()};
  argv.insert(argv.end(), words.begin(), words.end());
  return run_child(argv, {}, input);
}

std::set<JobId> put_until_full(const SmallDisk& disk) {
  std::set<JobId> ids;
  for (const std::size_t size : {60'000u, 100u}) {
    const std::string payload(size, 'x');
    Ended ended;
    while ((ended = tq(disk, {"-q", "put", "-Q", "heap", "--raw", "heap", "-"}, payload)).status == 0)
      BOOST_REQUIRE(ids.insert(std::stoull(ended.said)).second);
    BOOST_TEST(ended.status == 7);
    BOOST_TEST(ended.said.find("disk is full") != std::string::npos, ended.said);
  }
  return ids;
}

BOOST_AUTO_TEST_CASE(commands_complete_on_a_full_disk_and_tq_exits_with_7) {
  SmallDisk disk;
  const TempDir dir;
  const std::string gate = dir / "gate";
  BOOST_REQUIRE(::mkfifo(gate.c_str(), 0600) == 0);
  const base::Fd opened = base::open_file(gate, O_RDWR);
  std::set<JobId> work;
  for (int i = 0; i < 10; ++i) {
    const Ended added = tq(disk, {"-q", "add", "--", "/bin/sh", "-c", "read line <" + gate + "; echo done"});
    BOOST_REQUIRE_EQUAL(added.status, 0);
    work.insert(std::stoull(added.said));
  }
  test::Process worker({std::getenv("TQ_BIN"), "-f", disk.path(), "worker", "-j", "2", "-Q", "default"});
  TaskQueue queue(disk.path());
  for (EventSeq last = 0; queue.queue("default")->count[static_cast<int>(State::running)] < 2;)
    last = queue.wait_events(last, kPatience);
  const std::set<JobId> heap = put_until_full(disk);
  disk.fill();
  base::write_all(opened.get(), std::string(work.size(), '\n'), gate);
  require_done(queue, work);
  for (const JobId id : work) BOOST_TEST(queue.log(id).size() == 1u);
  BOOST_TEST(tq(disk, {"add", "--", "true"}).status == 7);
  worker.kill(SIGTERM);
  BOOST_TEST(worker.wait() == 0);

  disk.make_room();
  BOOST_TEST(tq(disk, {"add", "--", "true"}).status == 0);
  BOOST_TEST(tq(disk, {"worker", "--drain", "-Q", "default"}).status == 0);
  const Ended checked = tq(disk, {"check", "--deep"});
  BOOST_TEST(checked.status == 0, checked.said);
  for (const JobId id : heap) BOOST_TEST(queue.get(id).has_value(), "job " << id << " is lost");
  acknowledged_in_all += work.size() + heap.size() + 1;
  completed_in_all += work.size();
}

BOOST_AUTO_TEST_CASE(it_is_proved,
                     *utf::depends_on("full_disk/what_runs_completes_on_a_full_disk_and_what_is_added_is_refused") *
                         utf::depends_on("full_disk/commands_complete_on_a_full_disk_and_tq_exits_with_7")) {
  std::cout << "proved: a disk of 16 MB filled to the last byte, by the library and by tq (seed " << test::test_seed()
            << "): 0 of " << acknowledged_in_all << " acknowledged jobs lost, all " << completed_in_all
            << " in hand completed, what was added was refused\n";
}

BOOST_AUTO_TEST_SUITE_END()

// Without a disk to fill there is nothing to be tested.
struct Disk {
  Disk() {
    if (SmallDisk::is_allowed()) return;
    std::cout << "skipped: nobody but root may mount a disk here\n" << std::flush;
    ::_exit(77);
  }
};
BOOST_TEST_GLOBAL_CONFIGURATION(Disk);

}  // namespace
}  // namespace tq
