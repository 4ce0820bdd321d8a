// The run of a worker: what it claims and in which order, how it waits, how it ends.
#include "base/failpoint.hpp"
#include "queue/impl.hpp"
#include "worker/workshop.hpp"

#include "support/fake_clock.hpp"

#include <algorithm>
#include <atomic>
#include <barrier>
#include <thread>

namespace tq {
namespace {

using test::FakeClock;
using test::Signal;
using test::until_asked_to_stop;
using test::Workshop;
using namespace std::chrono_literals;

const Backoff kNoWait{.kind = Backoff::Kind::constant, .base = 0ms, .jitter = 0};

Payload nothing(const Payload&, Context&) { return {}; }

// Remembers in which order jobs began. Thread-safe.
class Order {
 public:
  void add(JobId id) {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(id);
  }
  std::string text() {
    const std::lock_guard lock(mutex_);
    return test::ids(jobs_);
  }
  std::vector<JobId> jobs() {
    const std::lock_guard lock(mutex_);
    return jobs_;
  }
  Handler handler() {
    return [this](const Payload&, Context& context) {
      add(context.id());
      return Payload{};
    };
  }

 private:
  std::mutex mutex_;
  std::vector<JobId> jobs_;
};

BOOST_AUTO_TEST_SUITE(run)

// --- what and in which order ---

BOOST_FIXTURE_TEST_CASE(jobs_begin_in_the_order_in_which_they_became_due, Workshop) {
  Order order;
  handle("work", order.handler());
  for (int i = 0; i < 5; ++i) add();
  drain();
  BOOST_TEST(order.text() == "1 2 3 4 5");
}

BOOST_FIXTURE_TEST_CASE(higher_priority_begins_first_and_ties_keep_their_order, Workshop) {
  Order order;
  handle("work", order.handler());
  add({.priority = 0});
  add({.priority = 5});
  add({.priority = -5});
  add({.priority = 5});
  add({.priority = 0});
  drain();
  BOOST_TEST(order.text() == "2 4 1 5 3");
}

BOOST_FIXTURE_TEST_CASE(queues_are_served_in_the_order_given, Workshop) {
  Order order;
  handle("work", order.handler());
  add({.queue = "a"});
  add({.queue = "b"});
  add({.queue = "c", .priority = 9});
  add({.queue = "b"});
  drain({.queues = {"b", "a"}});
  BOOST_TEST(order.text() == "2 4 1");
  BOOST_TEST(info(3).state == State::ready);
}

BOOST_FIXTURE_TEST_CASE(all_queues_are_one_line_if_none_are_named, Workshop) {
  Order order;
  handle("work", order.handler());
  add({.queue = "z"});
  add({.queue = "a"});
  add({.queue = "m"});
  drain();
  BOOST_TEST(order.text() == "1 2 3");
}

BOOST_FIXTURE_TEST_CASE(never_more_attempts_at_a_time_than_concurrency, Workshop) {
  std::atomic<int> running = 0;
  std::atomic<int> most = 0;
  handle("work", [&](const Payload& payload, Context&) -> Payload {
    const int now = ++running;
    for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
    }
    std::this_thread::yield();
    --running;
    if (payload.bytes == "fail") throw std::runtime_error("failed");
    return {};
  });
  for (int i = 0; i < 300; ++i) add({.max_retries = 1, .backoff = kNoWait}, i % 3 == 0 ? "fail" : "");
  BOOST_TEST(drain({.concurrency = 3}) == 400u);
  BOOST_TEST(most <= 3);
}

BOOST_FIXTURE_TEST_CASE(as_many_attempts_run_at_once_as_concurrency_allows, Workshop) {
  std::barrier all(8);
  handle("work", [&](const Payload&, Context&) {
    all.arrive_and_wait();
    return Payload{};
  });
  for (int i = 0; i < 16; ++i) add();
  BOOST_TEST(drain({.concurrency = 8}) == 16u);
}

BOOST_FIXTURE_TEST_CASE(a_job_that_waits_for_a_slot_is_not_counted_as_started, Workshop) {
  Signal running;
  Signal release;
  handle("work", [&](const Payload&, Context&) {
    running.give();
    release.take();
    return Payload{};
  });
  std::vector<JobId> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(add());
  start({.concurrency = 1});
  running.take();
  for (int i = 1; i < 4; ++i) {
    BOOST_TEST(info(jobs[static_cast<std::size_t>(i)]).attempt == 0u);
    BOOST_TEST(history(jobs[static_cast<std::size_t>(i)]) == "enqueued");
  }
  for (int i = 0; i < 4; ++i) release.give();
  for (const JobId id : jobs) end(id);
  BOOST_TEST(queue.stats().attempts == 4u);
}

BOOST_FIXTURE_TEST_CASE(a_task_that_nobody_registered_is_left_ready, Workshop) {
  handle("work", nothing);
  const JobId other = queue.enqueue("other", {});
  const JobId id = add();
  BOOST_TEST(drain() == 1u);
  BOOST_TEST(info(other).state == State::ready);
  BOOST_TEST(info(other).attempt == 0u);
  BOOST_TEST(info(id).state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(tasks_that_nobody_registered_are_failed_with_that_reason_if_so_configured, Workshop) {
  handle("work", nothing);
  std::vector<JobId> others;
  for (int i = 0; i < 10; ++i) others.push_back(queue.enqueue("other", {}));
  others.push_back(queue.enqueue(test::shell("true")));
  const JobId elsewhere = queue.enqueue("other", {}, {.queue = "elsewhere"});
  const JobId id = add();
  BOOST_TEST(drain({.queues = {"default"}, .fail_unknown_tasks = true}) == 1u);
  for (const JobId other : others) {
    BOOST_TEST(info(other).state == State::failed);
    BOOST_TEST(info(other).attempt <= 1u);
  }
  BOOST_TEST(info(others[0]).error == "no handler is registered for task 'other'");
  BOOST_TEST(info(elsewhere).state == State::ready);
  BOOST_TEST(info(id).state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(an_expired_job_never_runs, Workshop) {
  FakeClock clock;
  queue.impl().clock = &clock;
  handle("work", nothing);
  const JobId late = add({.expires_in = 1min});
  const JobId late_and_waiting = add({.delay = 2min, .expires_in = 1min});
  const JobId in_time = add({.expires_in = 1h});
  clock.advance(1min);
  BOOST_TEST(drain() == 1u);
  for (const JobId id : {late, late_and_waiting}) {
    BOOST_TEST(info(id).state == State::expired);
    BOOST_TEST(history(id) == "enqueued expired");
    BOOST_TEST(queue.result(id)->error == "");
  }
  BOOST_TEST(info(in_time).state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(nothing_of_a_paused_queue_begins_until_it_is_resumed, Workshop) {
  handle("work", nothing);
  queue.pause("default");
  const JobId id = add();
  const JobId other = add({.queue = "other"});
  start();
  end(other);
  BOOST_TEST(info(id).state == State::ready);
  queue.resume("default");
  BOOST_TEST(end(id).state == State::succeeded);
}

// --- waiting ---

BOOST_FIXTURE_TEST_CASE(an_idle_worker_is_woken_by_a_new_job, Workshop) {
  handle("work", nothing);
  start();
  for (int i = 0; i < 50; ++i) BOOST_TEST(end(add()).state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(a_worker_waits_also_for_queues_that_do_not_exist_yet, Workshop) {
  handle("work", nothing);
  start({.queues = {"not", "yet"}});
  BOOST_TEST(end(add({.queue = "yet"})).state == State::succeeded);
  BOOST_TEST(end(add({.queue = "not"})).state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(a_worker_is_woken_for_one_queue_of_many, Workshop) {
  handle("work", nothing);
  for (int i = 0; i < 50; ++i) queue.configure("q" + std::to_string(i), {.max_size = 1});
  start({.queues = {"q7", "q31", "q48"}});
  for (const char* name : {"q31", "q7", "q48"}) BOOST_TEST(end(add({.queue = name})).state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(a_worker_is_woken_when_a_job_is_moved_to_its_queue_or_time, Workshop) {
  handle("work", nothing);
  start({.queues = {"default"}});
  const JobId elsewhere = add({.queue = "elsewhere"});
  queue.set(elsewhere, {.queue = "default"});
  BOOST_TEST(end(elsewhere).state == State::succeeded);
  const JobId later = add({.delay = 1h});
  queue.set(later, {.at = Time{}});
  BOOST_TEST(end(later).state == State::succeeded);
  const JobId waiting = add({.delay = 1h});
  queue.retry(waiting);
  BOOST_TEST(end(waiting).state == State::succeeded);
  queue.retry(waiting);
  BOOST_TEST(end(waiting).state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(a_scheduled_job_fires_at_its_time_and_not_before, Workshop) {
  handle("work", nothing);
  start();
  const JobId id = add({.delay = 50ms});
  const JobId sooner = add({.delay = 20ms});  // the timer is set anew
  for (const JobId job : {id, sooner}) {
    BOOST_TEST(end(job).state == State::succeeded);
    BOOST_CHECK(info(job).started.value() >= info(job).due.value());
    BOOST_TEST(history(job) == "enqueued due started succeeded");
  }
}

BOOST_FIXTURE_TEST_CASE(a_deadline_to_start_passes_without_anybody_asking, Workshop) {
  start();
  const JobId id = add({.expires_in = 20ms});  // there is no handler for it
  BOOST_TEST(end(id).state == State::expired);
}

// --- the clock jumps: it stands far ahead of the real one, so that no real timer fires ---

constexpr Time kFuture = test::kStart + std::chrono::hours{24 * 365 * 40};

struct Clock {
  FakeClock clock{kFuture};
};

class Jumping : public Clock, public Workshop {
 public:
  Jumping() { queue.impl().clock = &clock; }
  void jump(Duration by) {
    clock.advance(by);
    queue.impl().bell->ring(loop::kTopicAnyQueue);
  }
};

BOOST_FIXTURE_TEST_CASE(a_hundred_jobs_that_are_due_at_once_all_begin_the_oldest_first, Jumping) {
  Order order;
  handle("work", order.handler());
  std::vector<JobId> jobs;
  for (int i = 0; i < 100; ++i) jobs.push_back(add({.delay = 1h}));
  start();
  jump(1h);
  for (const JobId id : jobs) end(id);
  BOOST_TEST(order.jobs() == jobs, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(when_the_clock_jumps_ten_years_ahead_all_that_is_due_runs, Jumping) {
  handle("work", nothing);
  const JobId hour = add({.delay = 1h});
  const JobId years = add({.delay = 24h * 365 * 9});
  const JobId more = add({.delay = 24h * 365 * 11});
  const JobId expiring = add({.delay = 1h, .expires_in = 2h});
  start();
  jump(24h * 365 * 10);
  BOOST_TEST(end(hour).state == State::succeeded);
  BOOST_TEST(end(years).state == State::succeeded);
  BOOST_TEST(end(expiring).state == State::expired);
  BOOST_TEST(info(more).state == State::scheduled);
}

BOOST_FIXTURE_TEST_CASE(when_the_clock_jumps_back_nothing_is_lost_and_nothing_stuck, Jumping) {
  handle("work", nothing);
  const JobId later = add({.delay = 1h});
  const JobId earlier = add();
  clock.advance(-24h * 365 * 10);
  start();
  BOOST_TEST(end(earlier).state == State::succeeded);  // ready is ready
  BOOST_TEST(end(add()).state == State::succeeded);
  BOOST_TEST(info(later).state == State::scheduled);
  jump(24h * 365 * 10 + 1h);
  BOOST_TEST(end(later).state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(when_the_clock_jumps_no_time_out_comes_early, Jumping) {
  Signal running;
  Signal release;
  handle("work", [&](const Payload&, Context& context) {
    running.give();
    release.take();
    BOOST_TEST(!context.stop_token().stop_requested());
    return Payload{};
  });
  handle("quick", nothing);
  const JobId id = add({.timeout = 1h});
  const JobId due = queue.enqueue("quick", {}, {.delay = 1h});
  start({.concurrency = 2});
  running.take();
  jump(24h * 365 * 10);
  end(due);  // the worker has noticed
  release.give();
  BOOST_TEST(end(id).state == State::succeeded);
}

// --- cancels ---

BOOST_FIXTURE_TEST_CASE(a_cancel_between_the_claim_of_a_job_and_its_begin_reaches_it, Workshop) {
  Signal running;
  Signal stopped;
  handle("work", [&](const Payload&, Context& context) -> Payload {
    running.give();
    until_asked_to_stop(context);
    stopped.give();
    throw std::runtime_error("stopped");
  });
  start({.concurrency = 2});
  const JobId first = add();
  running.take();
  struct Held {
    Held() { base::failpoint::arm("worker.claimed=wait"); }
    ~Held() { base::failpoint::arm(""); }
  };
  std::optional<Held> held(std::in_place);
  const JobId second = add();
  event(second, EventType::started);  // it is claimed, and the thread that has claimed it has not said so yet
  queue.cancel(second);
  queue.cancel(first);
  stopped.take();  // the worker has looked for cancels
  held.reset();
  for (const JobId id : {first, second}) BOOST_TEST(end(id).state == State::cancelled);
}

// --- the end ---

BOOST_FIXTURE_TEST_CASE(a_draining_worker_leaves_what_cannot_be_done_now, Workshop) {
  handle("work", [](const Payload& payload, Context&) -> Payload {
    if (payload.bytes == "fail") throw std::runtime_error("failed");
    return {};
  });
  queue.pause("paused");
  const JobId later = add({.delay = 1h});
  const JobId paused = add({.queue = "paused"});
  const JobId retrying = add({.backoff = {.base = 1h}}, "fail");
  BOOST_TEST(drain({.concurrency = 2}) == 1u);
  BOOST_TEST(info(later).state == State::scheduled);
  BOOST_TEST(info(paused).state == State::ready);
  BOOST_TEST(info(retrying).state == State::retrying);
}

BOOST_FIXTURE_TEST_CASE(once_runs_one_job_at_most, Workshop) {
  handle("work", nothing);
  BOOST_TEST(make({.concurrency = 4, .once = true})->run() == 0u);
  for (int i = 0; i < 3; ++i) add();
  BOOST_TEST(make({.concurrency = 4, .once = true})->run() == 1u);
  BOOST_TEST(info(1).state == State::succeeded);
  BOOST_TEST(info(2).state == State::ready);
}

// A handler that runs until it is let go, or asked to stop if it is well-behaved.
struct Long {
  Signal running;
  Signal release;
  std::atomic<int> interrupted = 0;
  bool heeds_stop = true;

  Payload operator()(const Payload&, Context& context) {
    running.give();
    if (heeds_stop) {
      until_asked_to_stop(context);
      ++interrupted;
      throw std::runtime_error("interrupted");
    }
    release.take();
    return {"raw", "done"};
  }
};

BOOST_FIXTURE_TEST_CASE(a_stop_waits_for_what_runs_and_claims_nothing_more, Workshop) {
  Long handler;
  handler.heeds_stop = false;
  handle("work", std::ref(handler));
  const JobId running = add();
  const JobId waiting = add();
  Worker& worker = start();
  handler.running.take();
  worker.stop();
  await(loop::kTopicWorkers, [&] { return queue.workers().at(0).stopping; });
  const JobId late = add();
  handler.release.give();
  BOOST_TEST(worker.join() == 1u);
  BOOST_TEST(end(running).value.bytes == "done");
  BOOST_TEST(info(waiting).state == State::ready);
  BOOST_TEST(info(waiting).attempt == 0u);
  BOOST_TEST(info(late).state == State::ready);
}

BOOST_FIXTURE_TEST_CASE(a_stop_at_once_interrupts_and_costs_no_attempt, Workshop) {
  Long handler;
  handle("work", std::ref(handler));
  const JobId id = add({.max_retries = 0});
  Worker& worker = start();
  handler.running.take();
  worker.stop(true);
  BOOST_TEST(worker.join() == 1u);
  BOOST_TEST(handler.interrupted == 1);
  BOOST_TEST(info(id).state == State::ready);
  BOOST_TEST(info(id).attempt == 0u);
  BOOST_TEST(info(id).crashes == 0u);
  BOOST_TEST(history(id) == "enqueued started interrupted");
}

BOOST_FIXTURE_TEST_CASE(what_still_runs_after_the_grace_is_interrupted, Workshop) {
  Long handler;
  handle("work", std::ref(handler));
  const JobId id = add({.max_retries = 0});
  Worker& worker = start({.shutdown_grace = 20ms});
  handler.running.take();
  worker.stop();
  worker.join();
  BOOST_TEST(handler.interrupted == 1);
  BOOST_TEST(info(id).state == State::ready);
}

BOOST_FIXTURE_TEST_CASE(a_second_stop_may_cut_the_grace_short, Workshop) {
  Long handler;
  handle("work", std::ref(handler));
  add();
  Worker& worker = start({.shutdown_grace = 1h});
  handler.running.take();
  worker.stop();
  worker.stop();
  worker.stop(true);
  worker.join();
  BOOST_TEST(handler.interrupted == 1);
}

BOOST_FIXTURE_TEST_CASE(an_interrupted_job_runs_again_in_another_worker, Workshop) {
  Long handler;
  handle("work", std::ref(handler));
  const JobId id = add({.max_retries = 0});
  Worker& first = start();
  handler.running.take();
  first.stop(true);
  first.join();
  handler.heeds_stop = false;
  handler.release.give();
  start();
  BOOST_TEST(end(id).value.bytes == "done");
  BOOST_TEST(info(id).attempt == 1u);
}

BOOST_FIXTURE_TEST_CASE(an_idle_worker_stops_when_it_is_told_to, Workshop) {
  for (const bool now : {false, true}) {
    const EventSeq before = queue.stats().last_event;
    Worker& worker = start({.concurrency = 4, .shutdown_grace = 1h, .commands = true});
    event(0, EventType::worker_started, before);
    worker.stop(now);
    BOOST_TEST(worker.join() == 0u);
  }
}

BOOST_FIXTURE_TEST_CASE(what_ended_during_the_stop_is_stored, Workshop) {
  Long handler;
  handler.heeds_stop = false;
  handle("work", std::ref(handler));
  std::vector<JobId> jobs;
  for (int i = 0; i < 4; ++i) jobs.push_back(add());
  Worker& worker = start({.concurrency = 4});
  handler.running.take(4);
  worker.stop();
  for (int i = 0; i < 4; ++i) handler.release.give();
  BOOST_TEST(worker.join() == 4u);
  for (const JobId id : jobs) BOOST_TEST(info(id).state == State::succeeded);
}

// --- several workers ---

BOOST_FIXTURE_TEST_CASE(two_workers_in_one_process_run_each_job_once, Workshop) {
  Order order;
  handle("work", order.handler());
  std::vector<JobId> jobs;
  start({.concurrency = 2});
  start({.concurrency = 2});
  for (int i = 0; i < 200; ++i) jobs.push_back(add());
  for (const JobId id : jobs) end(id);
  std::vector<JobId> ran = order.jobs();
  std::sort(ran.begin(), ran.end());
  BOOST_TEST(ran == jobs, boost::test_tools::per_element());
  BOOST_TEST(queue.stats().attempts == jobs.size());
}

BOOST_FIXTURE_TEST_CASE(workers_of_one_process_on_two_stores_do_not_meet, Workshop) {
  Workshop other;
  Order here;
  Order there;
  handle("work", here.handler());
  other.handle("work", there.handler());
  start();
  other.start();
  for (int i = 0; i < 10; ++i) {
    end(add());
    other.end(other.add());
  }
  BOOST_TEST(here.jobs().size() == 10u);
  BOOST_TEST(there.jobs().size() == 10u);
}

// --- along the way ---

BOOST_FIXTURE_TEST_CASE(a_worker_applies_retention_along_the_way, Workshop) {
  Workshop shop(OpenOptions{.keep_succeeded = 0ms});
  shop.handle("work", nothing);
  for (int i = 0; i < 10; ++i) shop.add();
  shop.drain();
  shop.add();
  shop.drain();
  BOOST_TEST(shop.queue.list().size() <= 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
