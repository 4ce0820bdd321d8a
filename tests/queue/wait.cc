#include "queue/actor.hpp"
#include "queue/hand.hpp"
#include "queue/stores.hpp"
#include "support/message_of.hpp"

#include <atomic>
#include <barrier>
#include <thread>

namespace tq {
namespace {

using test::Actor;
using test::FileStore;
using test::message_of;
using test::Stores;
using test::types;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(wait)

BOOST_AUTO_TEST_CASE_TEMPLATE(waiting_for_a_job_that_is_over_returns_at_once, Store, Stores) {
  Store store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {});
  worker.succeed(worker.claim(), "done");
  BOOST_TEST(store.queue.wait(id)->value.bytes == "done");
  BOOST_TEST(store.queue.wait(id, 0ms)->value.bytes == "done");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_with_a_limit_gives_nothing_for_an_unfinished_job, Store, Stores) {
  Store store;
  const JobId id = store.queue.enqueue("work", {});
  BOOST_CHECK(!store.queue.wait(id, 10ms));
  BOOST_CHECK(!store.queue.wait(id, 0ms));
  BOOST_CHECK(!store.queue.wait(id, -1s));
}

BOOST_AUTO_TEST_CASE(waiting_for_an_unknown_job_is_refused) {
  FileStore store;
  BOOST_CHECK_THROW(store.queue.wait(1), NotFound);
  BOOST_CHECK_THROW(store.queue.wait_log(1, 0), NotFound);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(all_who_wait_are_woken_when_the_job_ends, Store, Stores) {
  Store store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {});
  const auto claimed = worker.claim();
  constexpr int kWaiters = 8;
  std::barrier ready(kWaiters + 1);
  std::atomic<int> woken = 0;
  std::vector<std::thread> waiters;
  for (int i = 0; i < kWaiters; ++i) {
    waiters.emplace_back([&] {
      ready.arrive_and_wait();
      if (store.queue.wait(id, 60s)->value.bytes == "done") ++woken;
    });
  }
  ready.arrive_and_wait();
  worker.succeed(claimed, "done");
  for (std::thread& waiter : waiters) waiter.join();
  BOOST_TEST(woken == kWaiters);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(no_end_is_missed_however_close_it_comes_to_the_wait, Store, Stores) {
  Store store;
  test::Hand worker(store.queue);
  constexpr int kRounds = 200;
  std::barrier round(2);
  std::vector<JobId> jobs;
  for (int i = 0; i < kRounds; ++i) jobs.push_back(store.queue.enqueue("work", {}));
  int seen = 0;  // checks are for one thread at a time
  std::thread waiter([&] {
    for (const JobId id : jobs) {
      round.arrive_and_wait();
      seen += store.queue.wait(id, 60s).has_value() ? 1 : 0;
    }
  });
  for (int i = 0; i < kRounds; ++i) {
    const auto claimed = worker.claim();
    round.arrive_and_wait();
    worker.succeed(claimed);
  }
  waiter.join();
  BOOST_TEST(seen == kRounds);
}

BOOST_AUTO_TEST_CASE(a_wait_ends_when_the_job_is_cancelled_through_another_handle) {
  FileStore store;
  const JobId id = store.queue.enqueue("work", {});
  TaskQueue other(store.path());
  std::barrier ready(2);
  std::thread waiter([&] {
    ready.arrive_and_wait();
    BOOST_TEST(store.queue.wait(id, 60s)->state == State::cancelled);
  });
  ready.arrive_and_wait();
  other.cancel(id);
  waiter.join();
}

BOOST_AUTO_TEST_CASE(a_wait_ends_when_the_job_is_removed) {
  FileStore store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {});
  std::barrier ready(2);
  const auto is_gone = [](const auto& wait) {
    try {
      wait();
      return false;
    } catch (const NotFound&) {
      return true;
    }
  };
  bool waiter_is_told = false;
  bool reader_is_told = false;
  std::thread waiter([&] {
    ready.arrive_and_wait();
    waiter_is_told = is_gone([&] { store.queue.wait(id, 60s); });
  });
  std::thread reader([&] { reader_is_told = is_gone([&] { store.queue.wait_log(id, 0, 60s); }); });
  ready.arrive_and_wait();
  BOOST_TEST(store.queue.purge("default") == 1u);  // at once: nobody sees it cancelled
  waiter.join();
  reader.join();
  BOOST_TEST(waiter_is_told);
  BOOST_TEST(reader_is_told);
}

BOOST_AUTO_TEST_CASE(waiters_in_several_processes_are_woken) {
  FileStore store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {});
  const auto claimed = worker.claim();
  std::vector<std::unique_ptr<Actor>> waiters;
  for (int i = 0; i < 3; ++i) {
    waiters.push_back(std::make_unique<Actor>(store.path(), "wait", std::to_string(id)));
    BOOST_TEST(waiters.back()->line() == "waiting");
  }
  worker.succeed(claimed, "done");
  for (auto& waiter : waiters) {
    BOOST_TEST(waiter->line() == "succeeded done");
    BOOST_TEST(waiter->wait() == 0);
  }
}

BOOST_AUTO_TEST_CASE_TEMPLATE(events_can_be_followed_as_they_come, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  const EventSeq start = queue.stats().last_event;
  BOOST_TEST(queue.wait_events(start, 10ms) == start);
  constexpr std::size_t kJobs = 50;
  std::thread producer([&] {
    for (std::size_t i = 0; i < kJobs; ++i) queue.enqueue("work", {});
  });
  std::vector<Event> seen;
  while (seen.size() < kJobs + 1) {
    const EventSeq last = seen.empty() ? start : seen.back().seq;
    BOOST_REQUIRE(queue.wait_events(last, 60s) > last);
    for (const Event& event : queue.events({.after = last})) seen.push_back(event);
  }
  producer.join();
  BOOST_TEST(seen.front().type == EventType::queue_created);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    BOOST_TEST(seen[i].seq == seen[i - 1].seq + 1);
    BOOST_TEST(seen[i].job == i);
  }
}

BOOST_AUTO_TEST_CASE(events_of_another_process_are_followed) {
  FileStore store;
  Actor producer(store.path(), "enqueue", "3");
  EventSeq last = 0;
  while (store.queue.stats().enqueued < 3) {
    const EventSeq newest = store.queue.wait_events(last, 60s);
    BOOST_REQUIRE(newest > last);
    last = newest;
  }
  BOOST_TEST(producer.wait() == 0);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_wait_for_output_ends_with_output_or_with_the_job, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  test::Hand worker(queue);
  const JobId id = queue.enqueue("work", {});
  BOOST_TEST(!queue.wait_log(id, 0, 10ms));
  const auto claimed = worker.claim();
  std::barrier step(2);
  std::thread reader([&] {
    step.arrive_and_wait();
    BOOST_TEST(queue.wait_log(id, 0, 60s));
    BOOST_TEST(queue.log(id).size() == 1u);
    step.arrive_and_wait();
    BOOST_TEST(queue.wait_log(id, 1, 60s));
    BOOST_CHECK(queue.result(id));
  });
  step.arrive_and_wait();
  worker.write(claimed, "text");
  step.arrive_and_wait();
  worker.succeed(claimed);
  reader.join();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
