#include "queue/impl.hpp"

#include "queue/actor.hpp"
#include "queue/hand.hpp"
#include "queue/stores.hpp"
#include "support/message_of.hpp"

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

namespace tq {
namespace {

namespace fs = std::filesystem;
using test::Actor;
using test::check_clean;
using test::FileStore;
using test::MemoryStore;
using test::message_of;
using test::TempDir;
using test::types;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(impl)

BOOST_AUTO_TEST_CASE(opening_makes_a_store_that_only_its_owner_can_read) {
  FileStore store;
  BOOST_TEST(store.queue.path() == store.path());
  for (const fs::directory_entry& entry : fs::directory_iterator(store.dir.path())) {
    const fs::perms others = entry.status().permissions() & (fs::perms::group_all | fs::perms::others_all);
    BOOST_TEST((others == fs::perms::none), entry.path());
  }
}

BOOST_AUTO_TEST_CASE(opening_without_creating_needs_a_store) {
  const TempDir dir;
  const std::string message = message_of<NotFound>([&] { TaskQueue(dir / "jobs.tq", {.create = false}); });
  BOOST_TEST(message.find(dir / "jobs.tq") != message.npos, message);
  BOOST_TEST(fs::is_empty(dir.path()));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_store_is_refused_and_left_as_it_is) {
  const TempDir dir;
  const std::string path = dir / "notes.txt";
  std::ofstream(path) << std::string(10'000, 'n');
  BOOST_CHECK_THROW(TaskQueue{path}, StoreError);
  std::ifstream file(path);
  BOOST_TEST(std::string(std::istreambuf_iterator<char>(file), {}) == std::string(10'000, 'n'));
  BOOST_CHECK_THROW(TaskQueue{dir.path()}, StoreError);
}

// Whether they really share one depends on who is faster; what comes out must not.
BOOST_AUTO_TEST_CASE(changes_of_many_threads_share_commits_and_each_has_its_own_outcome) {
  constexpr int kThreads = 8;
  constexpr int kEach = 40;
  FileStore store;
  store.queue.configure("small", {.max_size = 5});
  std::vector<std::thread> threads;
  std::vector<std::vector<JobId>> added(kThreads);
  std::atomic<int> refused = 0;
  std::atomic<int> missing = 0;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const auto ids = store.queue.enqueue_many(std::vector<JobSpec>(3, JobSpec{"work", {}, {}}));
        if (ids[1] != ids[0] + 1 || ids[2] != ids[0] + 2) throw std::runtime_error("ids are not consecutive");
        added[static_cast<std::size_t>(t)].insert(added[static_cast<std::size_t>(t)].end(), ids.begin(), ids.end());
        try {
          store.queue.enqueue_many(std::vector<JobSpec>(2, JobSpec{"other", {}, {.queue = "small"}}));
        } catch (const QueueFull&) {
          ++refused;
        }
        try {
          store.queue.remove(1'000'000);
        } catch (const NotFound&) {
          ++missing;
        }
        store.queue.cancel(ids[0]);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<JobId> all;
  for (const auto& ids : added) all.insert(ids.begin(), ids.end());
  BOOST_TEST(all.size() == std::size_t{3 * kThreads * kEach});
  BOOST_TEST(missing == kThreads * kEach);
  BOOST_TEST(refused == kThreads * kEach - 2);  // two batches of two fit into five, and no half of a third
  BOOST_TEST((*store.queue.queue("small"))[State::ready] == 4u);
  BOOST_TEST((*store.queue.queue("default"))[State::cancelled] == std::uint64_t{kThreads * kEach});
  BOOST_TEST((*store.queue.queue("default"))[State::ready] == std::uint64_t{2 * kThreads * kEach});
}

BOOST_AUTO_TEST_CASE(two_handles_in_one_process_are_one_store) {
  FileStore store;
  TaskQueue other(store.path());
  TaskQueue third(fs::path(store.dir.path()) / "." / "jobs.tq");
  const JobId id = store.queue.enqueue("work", {});
  BOOST_TEST(other.get(id)->state == State::ready);
  third.cancel(id);
  BOOST_TEST(store.queue.get(id)->state == State::cancelled);
  { const TaskQueue fourth(store.path()); }
  BOOST_TEST(store.queue.enqueue("work", {}) == id + 1);  // closing one leaves the others whole
}

BOOST_AUTO_TEST_CASE(handles_have_options_of_their_own) {
  FileStore store;
  TaskQueue strict(store.path(), {.max_blob_bytes = 10});
  BOOST_CHECK_THROW(strict.enqueue("work", {"raw", std::string(11, 'x')}), InvalidArgument);
  store.queue.enqueue("work", {"raw", std::string(11, 'x')});
}

BOOST_AUTO_TEST_CASE(a_store_in_memory_is_private) {
  MemoryStore one;
  MemoryStore two;
  one.queue.enqueue("work", {});
  BOOST_TEST(two.queue.list().empty());
  BOOST_TEST(!fs::exists(":memory:"));
}

BOOST_AUTO_TEST_CASE(a_handle_can_be_moved) {
  FileStore store;
  const JobId id = store.queue.enqueue("work", {});
  TaskQueue moved(std::move(store.queue));
  BOOST_CHECK(moved.get(id));
  store.queue = std::move(moved);
  BOOST_CHECK(store.queue.get(id));
}

BOOST_AUTO_TEST_CASE(threads_share_one_handle) {
  FileStore store;
  constexpr int kThreads = 8;
  constexpr int kJobs = 25;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      for (int j = 0; j < kJobs; ++j) {
        const JobId id = store.queue.enqueue("work", {"raw", std::to_string(i)});
        right += store.queue.payload(id)->bytes == std::to_string(i) ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(right == kThreads * kJobs);
  BOOST_TEST(store.queue.stats().enqueued == static_cast<std::uint64_t>(kThreads * kJobs));
}

BOOST_AUTO_TEST_CASE(ten_processes_open_one_store_at_once) {
  const TempDir dir;
  const std::string path = dir / "jobs.tq";
  std::vector<std::unique_ptr<Actor>> actors;
  for (int i = 0; i < 10; ++i) actors.push_back(std::make_unique<Actor>(path, "enqueue", "5"));
  std::set<std::string> ids;
  for (auto& actor : actors) {
    while (auto line = actor->try_line()) BOOST_TEST(ids.insert(*line).second, *line);
    BOOST_TEST(actor->wait() == 0);
  }
  BOOST_TEST(ids.size() == 50u);
  TaskQueue queue(path, {.create = false});
  BOOST_TEST(queue.stats().enqueued == 50u);
  check_clean(queue);
}

BOOST_AUTO_TEST_CASE(opening_rescues_the_jobs_of_the_dead) {
  FileStore store;
  const JobId id = store.queue.enqueue("work", {});
  Actor worker(store.path(), "hold");
  BOOST_TEST(worker.line() == "holding " + std::to_string(id));
  { const TaskQueue other(store.path()); }
  BOOST_TEST(store.queue.get(id)->state == State::running);  // a living one's are left alone
  worker.kill(SIGKILL);
  BOOST_TEST(worker.wait() == 128 + SIGKILL);
  BOOST_TEST(store.queue.get(id)->state == State::running);
  { const TaskQueue other(store.path()); }
  const JobInfo info = store.queue.get(id).value();
  BOOST_TEST(info.state == State::ready);
  BOOST_TEST(info.attempt == 0u);
  BOOST_TEST(info.crashes == 1u);
  BOOST_TEST(store.queue.workers().empty());
  BOOST_TEST(types(store.queue.events({.job = id})) == "enqueued started crashed");
  const auto died = store.queue.events({.types = {EventType::worker_died}});
  BOOST_REQUIRE(died.size() == 1u);
  BOOST_TEST(died[0].text.find("died") != std::string::npos, died[0].text);
}

BOOST_AUTO_TEST_CASE(a_job_that_was_there_at_too_many_deaths_is_failed) {
  FileStore store;
  const JobId id = store.queue.enqueue("work", {});
  for (int i = 1; i <= 3; ++i) {
    test::Hand worker(store.queue, 3);
    worker.claim();
    worker.die();
    BOOST_TEST(store.queue.impl().rescue_dead() == 1u);
    BOOST_TEST(store.queue.get(id)->crashes == static_cast<std::uint32_t>(i));
    BOOST_TEST(store.queue.get(id)->state == (i < 3 ? State::ready : State::failed));
  }
  BOOST_TEST(store.queue.get(id)->error.find("3 times") != std::string::npos, store.queue.get(id)->error);
}

BOOST_AUTO_TEST_CASE(one_claimer_of_five_gets_the_job) {
  FileStore store;
  for (int round = 0; round < 20; ++round) {
    const JobId id = store.queue.enqueue("work", {});
    std::atomic<int> winners = 0;
    std::vector<std::unique_ptr<test::Hand>> workers;
    for (int i = 0; i < 5; ++i) workers.push_back(std::make_unique<test::Hand>(store.queue));
    std::vector<std::thread> claimers;
    for (auto& worker : workers) {
      claimers.emplace_back([&, hand = worker.get()] {
        const auto claimed = hand->try_claim();
        if (!claimed) return;
        ++winners;
        hand->succeed(*claimed);
      });
    }
    for (std::thread& claimer : claimers) claimer.join();
    BOOST_TEST(winners == 1);
    BOOST_TEST(store.queue.get(id)->state == State::succeeded);
  }
}

BOOST_AUTO_TEST_CASE(what_an_edit_throws_leaves_the_store_as_it_was) {
  FileStore store;
  struct Stop {};
  const EventSeq before = store.queue.stats().last_event;
  BOOST_CHECK_THROW(store.queue.impl().change(Room::needed,
                                              [&](engine::Ledger& ledger) {
                                                ledger.find_or_make_queue("new");
                                                throw Stop();
                                              }),
                    Stop);
  BOOST_CHECK(!store.queue.queue("new"));
  BOOST_TEST(store.queue.stats().last_event == before);
  store.queue.enqueue("work", {});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
