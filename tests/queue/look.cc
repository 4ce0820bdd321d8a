#include "queue/hand.hpp"
#include "queue/stores.hpp"
#include "support/fake_clock.hpp"
#include "support/message_of.hpp"

#include <atomic>
#include <thread>

namespace tq {
namespace {

using test::codes;
using test::FileStore;
using test::ids;
using test::message_of;
using test::Stores;
using test::types;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(look)

BOOST_AUTO_TEST_CASE_TEMPLATE(an_unknown_job_is_told_from_one_that_is_not_ready_yet, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  const JobId id = queue.enqueue("work", {});
  BOOST_CHECK(!queue.get(id + 1));
  BOOST_CHECK(!queue.payload(id + 1));
  BOOST_CHECK(!queue.command(id + 1));
  BOOST_CHECK(!queue.saved(id + 1));
  BOOST_TEST(message_of<NotFound>([&] { queue.result(id + 1); }) == "there is no job 2");
  BOOST_TEST(message_of<NotFound>([&] { queue.why(id + 1); }) == "there is no job 2");
  BOOST_TEST(message_of<NotFound>([&] { queue.log(id + 1); }) == "there is no job 2");
  BOOST_CHECK(!queue.get(0));
  BOOST_CHECK_THROW(queue.result(std::numeric_limits<JobId>::max()), NotFound);

  BOOST_CHECK(queue.get(id));
  BOOST_CHECK(!queue.result(id));
  BOOST_CHECK(!queue.saved(id));
  BOOST_TEST(queue.log(id).empty());
}

BOOST_AUTO_TEST_CASE(the_payload_of_another_task_is_no_command) {
  FileStore store;
  const JobId id = store.queue.enqueue("work", {"json", "{}"});
  const std::string message = message_of<Conflict>([&] { store.queue.command(id); });
  BOOST_TEST(message.find("json") != message.npos, message);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_result_comes_back_byte_for_byte, Store, Stores) {
  Store store;
  test::Hand worker(store.queue);
  const std::string bytes("a\0b\xff", 4);
  const JobId id = store.queue.enqueue("work", {});
  worker.succeed(worker.claim(), bytes);
  const auto result = store.queue.result(id);
  BOOST_REQUIRE(result);
  BOOST_TEST(result->state == State::succeeded);
  BOOST_TEST(result->value.bytes == bytes);
  BOOST_TEST(result->error == "");
  BOOST_CHECK(!result->exit_code);
  BOOST_TEST(store.queue.get(id)->result_bytes == 4u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_failed_job_tells_its_error, Store, Stores) {
  Store store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {});
  worker.fail(worker.claim(), "the disk ate it");
  BOOST_TEST(store.queue.result(id)->state == State::failed);
  BOOST_TEST(store.queue.result(id)->error == "the disk ate it");
  BOOST_TEST(store.queue.get(id)->error == "the disk ate it");
}

class Listed {
 public:
  Listed() {
    add("work", {});
    add("work", {.queue = "images", .labels = {"red"}});
    add("play", {.queue = "images", .delay = 1h, .labels = {"red", "blue"}});
    add("play", {.delay = 1h});
    add("work", {});
    worker.fail(worker.claim());
  }

  FileStore store;
  TaskQueue& queue = store.queue;
  test::Hand worker{queue};

 private:
  void add(std::string_view task, const EnqueueOptions& options) { queue.enqueue(task, {}, options); }
};

BOOST_FIXTURE_TEST_CASE(jobs_are_listed_newest_first, Listed) {
  BOOST_TEST(ids(queue.list()) == "5 4 3 2 1");
  BOOST_TEST(ids(queue.list({.limit = 2})) == "5 4");
  BOOST_TEST(ids(queue.list({.before = 4})) == "3 2 1");
  BOOST_TEST(ids(queue.list({.before = 4, .limit = 1})) == "3");
  BOOST_TEST(ids(queue.list({.before = 1})) == "");
  BOOST_TEST(ids(queue.list({.limit = 0})) == "");
}

BOOST_FIXTURE_TEST_CASE(jobs_are_listed_by_what_they_are, Listed) {
  BOOST_TEST(ids(queue.list({.states = {State::ready}})) == "5 2");
  BOOST_TEST(ids(queue.list({.states = {State::scheduled, State::failed}})) == "4 3 1");
  BOOST_TEST(ids(queue.list({.states = {State::running}})) == "");
  BOOST_TEST(ids(queue.list({.queue = "images"})) == "3 2");
  BOOST_TEST(ids(queue.list({.task = "play"})) == "4 3");
  BOOST_TEST(ids(queue.list({.task = "never heard of"})) == "");
  BOOST_TEST(ids(queue.list({.label = "red"})) == "3 2");
  BOOST_TEST(ids(queue.list({.label = "blue"})) == "3");
  BOOST_TEST(ids(queue.list({.states = {State::ready}, .queue = "images", .label = "red", .limit = 1})) == "2");
  BOOST_TEST(ids(queue.list({.states = {State::scheduled}, .task = "play", .before = 4})) == "3");
}

BOOST_FIXTURE_TEST_CASE(a_queue_that_does_not_exist_cannot_be_listed, Listed) {
  BOOST_TEST(message_of<NotFound>([&] { queue.list({.queue = "nowhere"}); }) == "there is no queue 'nowhere'");
}

BOOST_FIXTURE_TEST_CASE(queues_are_sorted_and_count_their_jobs, Listed) {
  const std::vector<QueueInfo> queues = queue.queues();
  BOOST_REQUIRE(queues.size() == 2u);
  BOOST_TEST(queues[0].name == "default");
  BOOST_TEST(queues[1].name == "images");
  BOOST_TEST(queues[0][State::failed] == 1u);
  BOOST_TEST(queues[0][State::ready] == 1u);
  BOOST_TEST(queues[0].waiting() == 2u);
  BOOST_TEST(queues[1].unfinished() == 2u);
  const auto claimed = worker.claim();
  BOOST_TEST(queue.queue("images")->waiting() == 1u);
  BOOST_TEST(queue.queue("images")->unfinished() == 2u);
  BOOST_CHECK(!queue.queue("nowhere"));
}

BOOST_FIXTURE_TEST_CASE(the_store_in_numbers, Listed) {
  const Stats stats = queue.stats();
  BOOST_TEST(stats.enqueued == 5u);
  BOOST_TEST(stats.attempts == 1u);
  BOOST_TEST(stats.failed == 1u);
  BOOST_TEST(stats.succeeded == 0u);
  BOOST_TEST(stats.count[static_cast<std::size_t>(State::ready)] == 2u);
  BOOST_TEST(stats.queues == 2u);
  BOOST_TEST(stats.workers == 1u);
  BOOST_TEST(stats.file_bytes > 0u);
  BOOST_TEST(stats.used_bytes > 0u);
  BOOST_TEST(stats.used_bytes <= stats.file_bytes);
  BOOST_TEST(stats.last_event == queue.events().back().seq);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(output_is_read_from_any_number_on, Store, Stores) {
  Store store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {});
  const auto claimed = worker.claim();
  for (const char* line : {"one\n", "two\n", "three\n"}) worker.write(claimed, line);
  const auto all = store.queue.log(id);
  BOOST_REQUIRE(all.size() == 3u);
  BOOST_TEST(all[0].bytes == "one\n");
  BOOST_TEST(all[2].bytes == "three\n");
  BOOST_TEST(all[0].attempt == 1u);
  BOOST_TEST(all[0].stream == Stream::out);
  const auto rest = store.queue.log(id, all[0].seq);
  BOOST_REQUIRE(rest.size() == 2u);
  BOOST_TEST(rest[0].bytes == "two\n");
  BOOST_TEST(store.queue.log(id, all[2].seq).empty());
  BOOST_TEST(store.queue.log(id, 0, 1).size() == 1u);
  BOOST_TEST(store.queue.get(id)->log_bytes == 14u);
}

BOOST_AUTO_TEST_CASE_TEMPLATE(what_a_handler_saved_can_be_seen, Store, Stores) {
  Store store;
  test::Hand worker(store.queue);
  const JobId id = store.queue.enqueue("work", {});
  const auto claimed = worker.claim();
  worker.save(claimed, "first");
  worker.save(claimed, std::string(100'000, 's'));
  BOOST_CHECK(store.queue.saved(id) == std::string(100'000, 's'));
}

BOOST_AUTO_TEST_CASE(why_names_every_reason) {
  FileStore store;
  TaskQueue& queue = store.queue;
  const JobId first = queue.enqueue("work", {});
  const JobId second = queue.enqueue("work", {});
  const JobId later = queue.enqueue("work", {}, {.delay = 1h});
  BOOST_TEST(codes(queue.why(first)) == "no_worker");
  BOOST_TEST(codes(queue.why(second)) == "behind no_worker");
  queue.pause("default");
  BOOST_TEST(codes(queue.why(second)) == "paused behind no_worker");
  BOOST_TEST(codes(queue.why(later)) == "time paused no_worker");
  queue.resume("default");

  test::Hand worker(queue);
  BOOST_TEST(codes(queue.why(first)) == "");
  const auto claimed = worker.claim();
  BOOST_TEST(codes(queue.why(first)) == "running");
  worker.succeed(claimed);
  BOOST_TEST(codes(queue.why(first)) == "final");
  worker.die();
  BOOST_TEST(codes(queue.why(second)) == "no_worker");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(events_are_told_in_order_without_gaps, Store, Stores) {
  Store store;
  TaskQueue& queue = store.queue;
  test::Hand worker(queue);
  const JobId id = queue.enqueue("work", {});
  worker.succeed(worker.claim());
  queue.enqueue("work", {});
  const auto all = queue.events();
  BOOST_TEST(types(all) == "worker_started queue_created enqueued started succeeded enqueued");
  for (std::size_t i = 0; i < all.size(); ++i) BOOST_TEST(all[i].seq == i + 1);
  BOOST_TEST(types(queue.events({.job = id})) == "enqueued started succeeded");
  BOOST_TEST(types(queue.events({.after = all[3].seq, .job = id})) == "succeeded");
  BOOST_TEST(types(queue.events({.types = {EventType::enqueued}})) == "enqueued enqueued");
  BOOST_TEST(types(queue.events({.limit = 2})) == "worker_started queue_created");
  BOOST_TEST(types(queue.events({.after = all.back().seq})) == "");
  BOOST_TEST(all[3].job == id);
  BOOST_TEST(all[3].attempt == 1u);
  BOOST_TEST(all[3].worker == worker.id());
  BOOST_TEST(all[3].queue == "default");
}

BOOST_AUTO_TEST_CASE(events_are_told_from_a_time_on) {
  FileStore store;
  test::FakeClock clock;
  store.queue.impl().clock = &clock;
  store.queue.enqueue("work", {});
  clock.advance(1h);
  store.queue.enqueue("work", {});
  BOOST_TEST(types(store.queue.events({.since = test::kStart + 1h})) == "enqueued");
  BOOST_TEST(types(store.queue.events({.since = test::kStart + 1h + 1ms})) == "");
  BOOST_TEST(types(store.queue.events({.since = test::kStart})) == "queue_created enqueued enqueued");
}

BOOST_AUTO_TEST_CASE(the_events_of_a_removed_job_can_still_be_read) {
  FileStore store;
  const JobId id = store.queue.enqueue("work", {});
  store.queue.cancel(id, "no more");
  store.queue.remove(id);
  const auto events = store.queue.events({.job = id});
  BOOST_TEST(types(events) == "enqueued cancelled removed");
  BOOST_TEST(events[1].text == "no more");
}

BOOST_AUTO_TEST_CASE_TEMPLATE(a_registered_worker_is_alive_until_it_dies, Store, Stores) {
  Store store;
  BOOST_TEST(store.queue.workers().empty());
  test::Hand worker(store.queue);
  const auto workers = store.queue.workers();
  BOOST_REQUIRE(workers.size() == 1u);
  BOOST_TEST(workers[0].id == worker.id());
  BOOST_TEST(workers[0].pid == ::getpid());
  BOOST_TEST(workers[0].alive);
  BOOST_TEST(!workers[0].stopping);
  worker.die();
  BOOST_REQUIRE(store.queue.workers().size() == 1u);
  BOOST_TEST(!store.queue.workers()[0].alive);
  BOOST_TEST(store.queue.stats().workers == 0u);
  store.queue.impl().rescue_dead();
  BOOST_TEST(store.queue.workers().empty());
}

BOOST_AUTO_TEST_CASE(looking_changes_nothing) {
  FileStore store;
  TaskQueue& queue = store.queue;
  const JobId id = queue.enqueue("work", {"raw", std::string(5000, 'x')});
  const Stats before = queue.stats();
  for (int i = 0; i < 100; ++i) {
    queue.get(id);
    queue.payload(id);
    queue.list();
    queue.events();
    queue.why(id);
    queue.check(true);
  }
  const Stats after = queue.stats();
  BOOST_TEST(after.last_event == before.last_event);
  BOOST_TEST(after.file_bytes == before.file_bytes);
  BOOST_TEST(after.used_bytes == before.used_bytes);
}

BOOST_AUTO_TEST_CASE(looking_does_not_wait_for_a_writer) {
  FileStore store;
  TaskQueue& queue = store.queue;
  const JobId id = queue.enqueue("work", {});
  auto writing = queue.impl().environment->write();
  std::thread reader([&] {
    BOOST_CHECK(queue.get(id));
    BOOST_CHECK(!queue.wait(id, 0ms));
    BOOST_TEST(queue.stats().enqueued == 1u);
  });
  reader.join();
}

BOOST_AUTO_TEST_CASE(readers_see_one_state_while_others_write) {
  FileStore store;
  TaskQueue& queue = store.queue;
  constexpr std::size_t kBatches = 50;
  std::thread writer([&] {
    const std::vector<JobSpec> three(3, {"work", {}, {}});
    for (std::size_t i = 0; i < kBatches; ++i) queue.enqueue_many(three);
  });
  std::vector<std::thread> readers;
  std::atomic<int> torn = 0;  // counted here, because Boost.Test's checks are for one thread at a time
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      std::size_t seen = 0;
      while (seen < kBatches * 3) {
        seen = queue.list({.limit = 1000}).size();
        torn += seen % 3 != 0;
      }
    });
  }
  writer.join();
  for (std::thread& reader : readers) reader.join();
  BOOST_TEST(torn == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
