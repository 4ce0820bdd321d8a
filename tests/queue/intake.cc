// What is added through the intake is a job like any other.
#include "queue/hand.hpp"
#include "queue/impl.hpp"
#include "queue/stores.hpp"
#include "support/fake_clock.hpp"

#include <thread>

namespace tq {
namespace {

using test::FileStore;
using test::ids;
using namespace std::chrono_literals;

// With queue "default" and task "work" in the catalogue, so that jobs of theirs need no transaction.
struct IntakeTest : FileStore {
  IntakeTest() { queue.enqueue("work", {}); }
  bool is_pending() { return queue.impl().environment->intake_is_pending(); }
};

BOOST_FIXTURE_TEST_SUITE(intake, IntakeTest)

BOOST_AUTO_TEST_CASE(a_job_in_the_intake_is_seen_by_whoever_looks) {
  const JobId id = queue.enqueue("work", {"raw", "hello"}, {.priority = 7, .labels = {"a", "b"}});
  BOOST_TEST(id == 2u);
  BOOST_TEST(is_pending());
  const auto info = queue.get(id);
  BOOST_TEST(!is_pending());
  BOOST_REQUIRE(info);
  BOOST_TEST(info->state == State::ready);
  BOOST_TEST(info->priority == 7);
  BOOST_TEST(info->labels.size() == 2u);
  BOOST_TEST(queue.payload(id)->bytes == "hello");
  queue.enqueue("work", {});
  BOOST_TEST(queue.list().size() == 3u);
  queue.enqueue("work", {});
  BOOST_TEST(queue.stats().enqueued == 4u);
  queue.enqueue("work", {});
  BOOST_TEST((*queue.queue("default"))[State::ready] == 5u);
}

BOOST_AUTO_TEST_CASE(whatever_changes_the_store_sees_it_too) {
  const JobId first = queue.enqueue("work", {});
  queue.cancel(first);
  const JobId second = queue.enqueue("work", {});
  const auto more = queue.enqueue_many(std::vector<JobSpec>(3, JobSpec{"work", {}, {}}));
  BOOST_TEST(more.front() == second + 1);
  BOOST_TEST(queue.enqueue("work", {}) == more.back() + 1);
  BOOST_TEST(queue.get(first)->state == State::cancelled);
  BOOST_TEST(queue.purge("default") == 6u);
}

BOOST_AUTO_TEST_CASE(its_event_has_the_time_at_which_it_was_added) {
  const JobId id = queue.enqueue("work", {});
  const Time added = base::system_clock().now();
  while (base::system_clock().now() == added) std::this_thread::yield();
  const auto events = queue.events({.job = id});
  BOOST_REQUIRE(events.size() == 1u);
  BOOST_CHECK(events[0].time == queue.get(id)->enqueued);
  BOOST_CHECK(events[0].time <= added);
}

BOOST_AUTO_TEST_CASE(delays_and_deadlines_are_kept) {
  const JobId later = queue.enqueue("work", {}, {.delay = 1h});
  BOOST_TEST(is_pending());
  BOOST_TEST(queue.get(later)->state == State::scheduled);
  const JobId soon = queue.enqueue("work", {}, {.expires_in = 1h});
  BOOST_CHECK(queue.get(soon)->expires);
}

BOOST_AUTO_TEST_CASE(a_payload_of_middling_size_goes_through_it_and_a_large_one_does_not) {
  const Payload middling{"raw", std::string(60'000, 'm')};
  const JobId first = queue.enqueue("work", middling);
  BOOST_TEST(is_pending());
  BOOST_CHECK(queue.payload(first) == middling);
  const Payload large{"raw", std::string(100'000, 'l')};
  const JobId second = queue.enqueue("work", large);
  BOOST_TEST(!is_pending());
  BOOST_CHECK(queue.payload(second) == large);
}

BOOST_AUTO_TEST_CASE(what_has_to_look_first_goes_into_a_transaction) {
  queue.enqueue("new-task", {});
  BOOST_TEST(!is_pending());
  queue.enqueue("work", {}, {.queue = "new-queue"});
  BOOST_TEST(!is_pending());
  queue.configure("new-queue", {.max_size = 2});
  queue.enqueue("work", {}, {.queue = "new-queue"});
  BOOST_TEST(!is_pending());
  BOOST_CHECK_THROW(queue.enqueue("work", {}, {.queue = "new-queue"}), QueueFull);
  BOOST_TEST(queue.enqueue("work", {}) == 5u);  // the one that was refused has used no number
}

BOOST_AUTO_TEST_CASE(when_it_fills_up_it_is_taken_in_and_nothing_waits) {
  const Payload payload{"raw", std::string(50'000, 'x')};
  for (int i = 0; i < 200; ++i) queue.enqueue("work", payload);
  BOOST_TEST(queue.stats().enqueued == 201u);
}

BOOST_AUTO_TEST_CASE(who_waits_for_events_is_woken) {
  const EventSeq before = queue.wait_events(0);
  std::thread adder([&] { queue.enqueue("work", {}); });
  BOOST_TEST(queue.wait_events(before) == before + 1);
  adder.join();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
