#include "queue/hand.hpp"
#include "queue/stores.hpp"
#include "support/fake_clock.hpp"
#include "support/message_of.hpp"

#include <csignal>
#include <filesystem>

namespace tq {
namespace {

using test::FileStore;
using test::ids;
using test::message_of;
using test::Stores;
using test::types;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(steer)

BOOST_AUTO_TEST_CASE_TEMPLATE(a_waiting_job_is_cancelled_at_once, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  const JobId ready = queue.enqueue("work", {});
  const JobId scheduled = queue.enqueue("work", {}, {.delay = 1h});
  for (const JobId id : {ready, scheduled}) {
    BOOST_TEST(queue.cancel(id, "changed my mind") == CancelOutcome::cancelled);
    BOOST_TEST(queue.result(id)->state == State::cancelled);
    BOOST_TEST(queue.result(id)->error == "changed my mind");
    BOOST_TEST(types(queue.events({.job = id})) == "enqueued cancelled");
  }
  test::Hand worker(queue);
  BOOST_CHECK(!worker.try_claim());
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_running_job_is_asked_to_stop, Store, Stores) {
  Store store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {});
  const auto claimed = worker.claim();
  BOOST_TEST(store.queue.cancel(id, "enough") == CancelOutcome::requested);
  BOOST_TEST(store.queue.get(id)->state == State::running);
  BOOST_TEST(store.queue.get(id)->cancel_requested);
  BOOST_TEST(store.queue.cancel(id, "really", SIGINT) == CancelOutcome::requested);
  worker.fail(claimed, "stopped", false);
  BOOST_TEST(store.queue.result(id)->state == State::cancelled);
  BOOST_TEST(!store.queue.get(id)->cancel_requested);
}

BOOST_AUTO_TEST_CASE(a_job_that_is_over_or_unknown_cannot_be_cancelled) {
  FileStore store;
  const JobId id = store.queue.enqueue("work", {});
  BOOST_TEST(store.queue.cancel(id + 1) == CancelOutcome::no_such_job);
  store.queue.cancel(id, "first");
  const EventSeq before = store.queue.stats().last_event;
  BOOST_TEST(store.queue.cancel(id, "second") == CancelOutcome::already_final);
  BOOST_TEST(store.queue.get(id)->error == "first");
  BOOST_TEST(store.queue.stats().last_event == before);
}

BOOST_AUTO_TEST_CASE(a_cancel_takes_a_signal_that_exists) {
  FileStore store;
  const JobId id = store.queue.enqueue("work", {});
  for (const int signal : {0, -1, SIGRTMAX + 1}) {
    const std::string message = message_of<InvalidArgument>([&] { store.queue.cancel(id, {}, signal); });
    BOOST_TEST(message.find("signal") != message.npos, message);
  }
  BOOST_TEST(store.queue.get(id)->state == State::ready);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_final_job_is_sent_round_again_under_its_id, Store, Stores) {
  Store store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {"raw", "abc"});
  worker.fail(worker.claim());
  store.queue.retry(id);
  const JobInfo info = store.queue.get(id).value();
  BOOST_TEST(info.state == State::ready);
  BOOST_TEST(info.attempt == 0u);
  BOOST_TEST(info.error == "");
  BOOST_CHECK(!info.finished);
  BOOST_CHECK(!store.queue.result(id));
  worker.succeed(worker.claim(), "result");
  BOOST_TEST(store.queue.result(id)->value.bytes == "result");
  BOOST_TEST(types(store.queue.events({.job = id})) == "enqueued started failed retried started succeeded");
}

BOOST_AUTO_TEST_CASE(a_job_that_waits_for_its_time_is_sent_round_now) {
  FileStore store;
  const JobId id = store.queue.enqueue("work", {}, {.delay = 1h});
  store.queue.retry(id);
  BOOST_TEST(store.queue.get(id)->state == State::ready);
}

BOOST_AUTO_TEST_CASE(a_job_in_line_or_in_hand_cannot_be_sent_round) {
  FileStore store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {});
  BOOST_CHECK_THROW(store.queue.retry(id), Conflict);
  const auto claimed = worker.claim();
  const std::string message = message_of<Conflict>([&] { store.queue.retry(id); });
  BOOST_TEST(message.find("running") != message.npos, message);
  BOOST_CHECK_THROW(store.queue.retry(id + 1), NotFound);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_removed_job_is_gone_with_all_that_belongs_to_it, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  test::Hand worker(queue);
  const JobId id = queue.enqueue("work", {"raw", std::string(100'000, 'p')});
  const auto claimed = worker.claim();
  worker.write(claimed, std::string(10'000, 'o'));
  worker.save(claimed, std::string(100'000, 's'));
  engine::Outcome outcome;
  outcome.result_blob.emplace(*queue.impl().environment, std::string(100'000, 'r'));
  worker.finish(claimed, std::move(outcome));
  BOOST_TEST(queue.result(id)->value.bytes.size() == 100'000u);
  queue.remove(id);
  BOOST_CHECK(!queue.get(id));
  BOOST_CHECK(!queue.payload(id));
  BOOST_CHECK(!queue.saved(id));
  BOOST_CHECK_THROW(queue.result(id), NotFound);
  BOOST_CHECK_THROW(queue.log(id), NotFound);
  BOOST_TEST(queue.list().empty());
  BOOST_TEST(queue.queue("default")->unfinished() == 0u);
}

BOOST_AUTO_TEST_CASE(the_files_of_a_removed_job_are_removed) {
  FileStore store;
  const JobId id = store.queue.enqueue("work", {"raw", std::string(1 << 20, 'p')});
  const std::filesystem::path blobs = store.path() + "-blobs";
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(blobs), {}) == 1);
  store.queue.cancel(id);
  store.queue.remove(id);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(blobs), {}) == 0);
}

BOOST_AUTO_TEST_CASE(a_job_that_is_not_over_cannot_be_removed) {
  FileStore store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {});
  BOOST_CHECK_THROW(store.queue.remove(id), Conflict);
  const auto claimed = worker.claim();
  const std::string message = message_of<Conflict>([&] { store.queue.remove(id); });
  BOOST_TEST(message.find("running") != message.npos, message);
  BOOST_CHECK_THROW(store.queue.remove(id + 1), NotFound);
  BOOST_CHECK(store.queue.get(id));
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_waiting_job_can_be_changed, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  const JobId id = queue.enqueue("work", {}, {.labels = {"old"}});
  const Time later = queue.get(id)->enqueued + 1h;
  queue.set(id, {.queue = "elsewhere", .priority = 5, .at = later, .labels = {{"new", "er"}}});
  const JobInfo info = queue.get(id).value();
  BOOST_TEST(info.queue == "elsewhere");
  BOOST_TEST(info.priority == 5);
  BOOST_TEST(info.state == State::scheduled);
  BOOST_CHECK(info.due == later);
  BOOST_CHECK((info.labels == std::vector<std::string>{"new", "er"}));
  BOOST_TEST(queue.queue("default")->waiting() == 0u);
  BOOST_TEST(queue.queue("elsewhere")->waiting() == 1u);
  queue.set(id, {.at = Time{}});
  BOOST_TEST(queue.get(id)->state == State::ready);
  BOOST_TEST(queue.get(id)->priority == 5);
}

BOOST_AUTO_TEST_CASE(a_job_that_cannot_be_changed_stays_as_it_is) {
  FileStore store;
  TaskQueue& queue = store.queue;
  test::Hand worker(queue);
  queue.configure("small", {.max_size = 1});
  queue.enqueue("work", {}, {.queue = "small"});
  const JobId id = queue.enqueue("work", {}, {.queue = "work"});
  BOOST_CHECK_THROW(queue.set(id, {.queue = ""}), InvalidArgument);
  BOOST_CHECK_THROW(queue.set(id, {.labels = {{"a,b"}}}), InvalidArgument);
  BOOST_CHECK_THROW(queue.set(id, {.at = Time::max()}), InvalidArgument);
  BOOST_CHECK_THROW(queue.set(id, {.queue = "small", .priority = 3}), QueueFull);
  BOOST_CHECK_THROW(queue.set(id + 1, {.priority = 3}), NotFound);
  BOOST_TEST(queue.get(id)->priority == 0);
  BOOST_TEST(queue.get(id)->queue == "work");
  queue.cancel(id);
  BOOST_CHECK_THROW(queue.set(id, {.priority = 3}), Conflict);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_paused_queue_gives_nothing_out_and_takes_jobs_in, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  test::Hand worker(queue);
  queue.enqueue("work", {});
  const auto running = worker.claim();
  queue.pause("default");
  queue.pause("default");
  BOOST_TEST(queue.queue("default")->paused);
  queue.enqueue("work", {});
  BOOST_CHECK(!worker.try_claim());
  worker.succeed(running);
  queue.resume("default");
  queue.resume("default");
  BOOST_TEST(!queue.queue("default")->paused);
  BOOST_CHECK(worker.try_claim());
  BOOST_TEST(queue.events({.types = {EventType::queue_paused, EventType::queue_resumed}}).size() == 2u);
}

BOOST_AUTO_TEST_CASE(pausing_and_configuring_make_the_queue_and_resuming_does_not) {
  FileStore store;
  TaskQueue& queue = store.queue;
  queue.pause("a");
  queue.configure("b", {.max_size = 7});
  BOOST_TEST(queue.queue("a")->paused);
  BOOST_TEST(queue.queue("b")->settings.max_size == 7u);
  BOOST_CHECK_THROW(queue.resume("c"), NotFound);
  BOOST_CHECK(!queue.queue("c"));
  BOOST_CHECK_THROW(queue.pause(""), InvalidArgument);
  BOOST_CHECK_THROW(queue.configure("x", {.max_size = std::numeric_limits<std::uint64_t>::max()}), InvalidArgument);
  BOOST_TEST(queue.queues().size() == 2u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_purge_takes_what_waits_and_says_how_many, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  test::Hand worker(queue);
  const std::vector<JobSpec> specs(1203, {"work", {}, {}});
  queue.enqueue_many(specs);
  queue.enqueue("work", {}, {.delay = 1h});
  queue.enqueue("work", {}, {.queue = "other"});
  const auto running = worker.claim();
  worker.succeed(worker.claim());
  BOOST_TEST(queue.purge("default") == 1202u);
  BOOST_TEST(queue.queue("default")->waiting() == 0u);
  BOOST_TEST(queue.get(running.id)->state == State::running);
  BOOST_TEST(queue.queue("default").value()[State::succeeded] == 1u);
  BOOST_TEST(queue.queue("other")->waiting() == 1u);
  BOOST_TEST(queue.purge("default", State::succeeded) == 1u);
  BOOST_TEST(queue.purge("default", State::failed) == 0u);
  BOOST_CHECK_THROW(queue.purge("default", State::running), Conflict);
  BOOST_CHECK_THROW(queue.purge("nowhere"), NotFound);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(purging_the_dead_takes_failed_jobs_older_than_asked, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  test::FakeClock clock;
  queue.impl().clock = &clock;
  test::Hand worker(queue);
  for (int i = 0; i < 3; ++i) {
    queue.enqueue("work", {});
    worker.fail(worker.claim());
    clock.advance(1h);
  }
  queue.enqueue("work", {});
  worker.succeed(worker.claim());
  BOOST_TEST(queue.purge_dead(test::kStart + 1h) == 1u);
  BOOST_TEST(ids(queue.list()) == "4 3 2");
  BOOST_TEST(queue.purge_dead() == 2u);
  BOOST_TEST(ids(queue.list()) == "4");
  BOOST_TEST(queue.purge_dead() == 0u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_has_been_kept_long_enough_is_collected, Store, Stores) {
  Store store(OpenOptions{.keep_succeeded = 1h, .keep_failed = 2h, .keep_events = 3h});
  TaskQueue& queue = store.queue;
  test::FakeClock clock;
  queue.impl().clock = &clock;
  test::Hand worker(queue);
  const JobId good = queue.enqueue("work", {});
  worker.succeed(worker.claim());
  const JobId bad = queue.enqueue("work", {});
  worker.fail(worker.claim());
  const JobId own = queue.enqueue("work", {}, {.result_ttl = 5min});
  worker.succeed(worker.claim());
  const JobId waiting = queue.enqueue("work", {});
  BOOST_TEST(queue.collect() == 0u);
  clock.advance(5min);
  BOOST_TEST(queue.collect() == 1u);
  BOOST_CHECK(!queue.get(own));
  clock.advance(55min);
  BOOST_TEST(queue.collect() == 1u);
  BOOST_CHECK(!queue.get(good));
  clock.advance(1h);
  BOOST_TEST(queue.collect() == 1u);
  BOOST_CHECK(!queue.get(bad));
  clock.advance(24h * 365);
  BOOST_TEST(queue.collect() == 0u);
  BOOST_CHECK(queue.get(waiting));
  BOOST_TEST(queue.events({.job = good}).empty());
}

BOOST_AUTO_TEST_CASE(more_than_one_batch_is_collected_in_one_call) {
  FileStore store({.keep_failed = 0ms, .keep_events = 0ms});
  TaskQueue& queue = store.queue;
  test::FakeClock clock;
  queue.impl().clock = &clock;
  const std::vector<JobSpec> specs(1234, {"work", {}, {}});
  for (const JobId id : queue.enqueue_many(specs)) {
    if (id % 100 == 0) clock.advance(1ms);
    queue.cancel(id);
  }
  clock.advance(1h);
  BOOST_TEST(queue.collect() == 1234u);
  BOOST_TEST(queue.list().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
