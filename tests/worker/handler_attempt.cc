// Handlers on threads: what they get, what becomes of what they return or throw, and how they are stopped.
#include "worker/workshop.hpp"

#include "support/random.hpp"

#include <array>
#include <atomic>

namespace tq {
namespace {

using test::Signal;
using test::until_asked_to_stop;
using test::Workshop;
using namespace std::chrono_literals;

const Backoff kNoWait{.kind = Backoff::Kind::constant, .base = 0ms, .jitter = 0};

BOOST_AUTO_TEST_SUITE(handler_attempt)

BOOST_FIXTURE_TEST_CASE(payloads_and_results_come_back_byte_for_byte, Workshop) {
  handle("work", [](const Payload& payload, Context&) { return Payload{"mine", payload.bytes + '\0'}; });
  test::Random random;
  std::map<JobId, std::string> sent;
  for (const std::size_t size : {0ul, 1ul, 1000ul, 1023ul, 1024ul, 2000ul, 65'535ul, 65'536ul, 1ul << 20}) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.below(256));
    sent.emplace(add({}, bytes), bytes);
  }
  drain({.concurrency = 3});
  for (const auto& [id, bytes] : sent) {
    BOOST_TEST_CONTEXT(bytes.size() << " bytes") {
      const Result result = end(id);
      BOOST_TEST(result.state == State::succeeded);
      BOOST_TEST(result.value.codec == "mine");
      BOOST_TEST((result.value.bytes == bytes + '\0'));
      BOOST_TEST(info(id).result_bytes == bytes.size() + 1);
    }
  }
}

BOOST_FIXTURE_TEST_CASE(a_result_over_the_limit_fails_the_job_for_good, Workshop) {
  Workshop strict(OpenOptions{.max_blob_bytes = 1000});
  strict.handle("work", [](const Payload&, Context&) { return Payload{"raw", std::string(1001, 'x')}; });
  const JobId id = strict.add();
  strict.drain();
  BOOST_TEST(strict.info(id).state == State::failed);
  BOOST_TEST(strict.info(id).attempt == 1u);
  BOOST_TEST(strict.info(id).error.find("1001") != std::string::npos, strict.info(id).error);
}

BOOST_FIXTURE_TEST_CASE(max_retries_n_means_at_most_one_and_n_attempts, Workshop) {
  std::map<JobId, std::vector<std::uint32_t>> attempts;
  handle("work", [&](const Payload&, Context& context) -> Payload {
    attempts[context.id()].push_back(context.attempt());
    throw std::runtime_error("attempt " + std::to_string(context.attempt()));
  });
  const JobId none = add({.max_retries = 0, .backoff = kNoWait});
  const JobId two = add({.max_retries = 2, .backoff = kNoWait});
  BOOST_TEST(drain() == 4u);
  BOOST_CHECK((attempts[none] == std::vector<std::uint32_t>{1}));
  BOOST_CHECK((attempts[two] == std::vector<std::uint32_t>{1, 2, 3}));
  for (const JobId id : {none, two}) {
    BOOST_TEST(info(id).state == State::failed);
    BOOST_TEST(info(id).attempt == attempts[id].size());
  }
  BOOST_TEST(info(two).error == "std::runtime_error: attempt 3");
  BOOST_TEST(history(two) == "enqueued started retrying due started retrying due started failed");
}

BOOST_FIXTURE_TEST_CASE(a_retry_comes_after_its_delay_and_not_before, Workshop) {
  handle("work", [](const Payload&, Context& context) -> Payload {
    if (context.attempt() < 3) throw std::runtime_error("not yet");
    return {};
  });
  const JobId id = add({.max_retries = 2, .backoff = {.base = 20ms, .jitter = 0}});
  start();
  BOOST_TEST(end(id).state == State::succeeded);
  const auto retrying = queue.events({.job = id, .types = {EventType::retrying}});
  const auto started = queue.events({.job = id, .types = {EventType::started}});
  BOOST_REQUIRE(retrying.size() == 2u);
  BOOST_REQUIRE(started.size() == 3u);
  BOOST_CHECK(started[1].time >= retrying[0].time + 20ms);
  BOOST_CHECK(started[2].time >= retrying[1].time + 40ms);
  BOOST_TEST(info(id).error == "");
}

class Unhappy : public std::exception {
 public:
  const char* what() const noexcept override { return "of my own"; }
};

BOOST_FIXTURE_TEST_CASE(an_exception_is_a_failed_attempt_with_its_type_and_message, Workshop) {
  handle("work", [](const Payload& payload, Context&) -> Payload {
    if (payload.bytes == "std") throw std::out_of_range("beyond");
    if (payload.bytes == "own") throw Unhappy();
    if (payload.bytes == "tq") throw NotFound("there is no such thing");
    if (payload.bytes == "int") throw 7;
    if (payload.bytes == "long") throw std::runtime_error(std::string(10'000, 'l'));
    if (payload.bytes == "binary") throw std::runtime_error("\xff\xfe");
    return {};
  });
  std::map<std::string, JobId> jobs;
  for (const char* name : {"std", "own", "tq", "int", "long", "binary"}) jobs[name] = add({.max_retries = 0}, name);
  drain();
  BOOST_TEST(info(jobs["std"]).error == "std::out_of_range: beyond");
  BOOST_TEST(info(jobs["own"]).error.ends_with("Unhappy: of my own"), info(jobs["own"]).error);
  BOOST_TEST(info(jobs["tq"]).error == "tq::NotFound: there is no such thing");
  BOOST_TEST(info(jobs["int"]).error == "the handler threw something that is no std::exception");
  BOOST_TEST(info(jobs["long"]).error.size() <= kMaxErrorBytes);
  BOOST_TEST(info(jobs["binary"]).error == "std::runtime_error: \ufffd\ufffd");
  for (const auto& [name, id] : jobs) BOOST_TEST(info(id).state == State::failed);
}

BOOST_FIXTURE_TEST_CASE(a_verdict_to_fail_leaves_no_retries, Workshop) {
  handle("work", [](const Payload&, Context&) -> Payload { throw Verdict::fail("hopeless"); });
  const JobId id = add({.max_retries = 5});
  BOOST_TEST(drain() == 1u);
  BOOST_TEST(info(id).state == State::failed);
  BOOST_TEST(info(id).error == "hopeless");
}

BOOST_FIXTURE_TEST_CASE(a_verdict_to_retry_chooses_the_delay_and_uses_an_attempt, Workshop) {
  handle("work", [](const Payload&, Context& context) -> Payload {
    throw Verdict::retry("busy", context.attempt() == 1 ? 0ms : 1h);
  });
  const JobId id = add({.max_retries = 5, .backoff = {.base = 1h}});
  BOOST_TEST(drain() == 2u);
  BOOST_TEST(info(id).state == State::retrying);
  BOOST_TEST(info(id).attempt == 2u);
  BOOST_TEST(info(id).error == "busy");
  const Event second = queue.events({.job = id, .types = {EventType::retrying}}).at(1);
  BOOST_CHECK(info(id).due == second.time + 1h);
}

BOOST_FIXTURE_TEST_CASE(a_verdict_to_retry_gives_no_attempt_more_than_the_job_has, Workshop) {
  handle("work", [](const Payload&, Context&) -> Payload { throw Verdict::retry("busy", 0ms); });
  const JobId id = add({.max_retries = 1});
  BOOST_TEST(drain() == 2u);
  BOOST_TEST(info(id).state == State::failed);
}

BOOST_FIXTURE_TEST_CASE(a_snooze_uses_no_attempt, Workshop) {
  std::atomic<int> runs = 0;
  handle("work", [&](const Payload&, Context& context) -> Payload {
    BOOST_TEST(context.attempt() == 1u);
    if (++runs < 4) throw Verdict::snooze(1ms);
    throw Verdict::snooze(1h);
  });
  const JobId id = add({.max_retries = 0});
  start();
  Event last = event(id, EventType::snoozed);
  for (int i = 1; i < 4; ++i) last = event(id, EventType::snoozed, last.seq);
  BOOST_TEST(info(id).state == State::scheduled);
  BOOST_TEST(info(id).attempt == 0u);
  BOOST_CHECK(info(id).due == last.time + 1h);
}

BOOST_FIXTURE_TEST_CASE(a_verdict_to_cancel_ends_the_job_with_its_reason, Workshop) {
  handle("work", [](const Payload&, Context&) -> Payload { throw Verdict::cancel("not wanted any more"); });
  const JobId id = add();
  drain();
  BOOST_TEST(info(id).state == State::cancelled);
  BOOST_TEST(info(id).error == "not wanted any more");
}

BOOST_FIXTURE_TEST_CASE(a_time_out_ends_the_attempt_and_is_named_in_its_error, Workshop) {
  handle("work", [](const Payload&, Context& context) -> Payload {
    until_asked_to_stop(context);
    throw std::runtime_error("I was told to");
  });
  const JobId id = add({.max_retries = 0, .timeout = 20ms});
  BOOST_TEST(drain() == 1u);
  BOOST_TEST(info(id).state == State::failed);
  BOOST_TEST(info(id).error == "timed out after 20ms (std::runtime_error: I was told to)");
}

BOOST_FIXTURE_TEST_CASE(a_time_out_follows_the_retry_policy, Workshop) {
  handle("work", [](const Payload&, Context& context) -> Payload {
    if (context.attempt() == 1) until_asked_to_stop(context);
    return {"raw", "attempt " + std::to_string(context.attempt())};
  });
  const JobId id = add({.max_retries = 1, .backoff = kNoWait, .timeout = 20ms});
  drain();
  // What the first one returned too late is not the job's result.
  BOOST_TEST(end(id).value.bytes == "attempt 2");
  BOOST_TEST(history(id) == "enqueued started retrying due started succeeded");
}

BOOST_FIXTURE_TEST_CASE(the_deadline_is_the_start_and_the_time_out, Workshop) {
  std::optional<Time> with;
  std::optional<Time> without;
  handle("work", [&](const Payload& payload, Context& context) -> Payload {
    (payload.bytes == "with" ? with : without) = context.deadline();
    return {};
  });
  const JobId id = add({.timeout = 1h}, "with");
  add({}, "without");
  drain();
  BOOST_CHECK(with == info(id).started.value() + 1h);
  BOOST_CHECK(!without);
}

BOOST_FIXTURE_TEST_CASE(a_running_handler_is_cancelled_through_its_stop_token, Workshop) {
  Signal running;
  handle("work", [&](const Payload&, Context& context) -> Payload {
    running.give();
    until_asked_to_stop(context);
    throw std::runtime_error("stopped");
  });
  const JobId id = add({.max_retries = 3});
  start();
  running.take();
  BOOST_TEST(queue.cancel(id, "enough") == CancelOutcome::requested);
  const Result result = end(id);
  BOOST_TEST(result.state == State::cancelled);
  BOOST_TEST(result.error == "enough");
  BOOST_TEST(history(id) == "enqueued started cancel_requested cancelled");
}

BOOST_FIXTURE_TEST_CASE(a_success_in_spite_of_a_cancel_stands, Workshop) {
  Signal running;
  handle("work", [&](const Payload&, Context& context) -> Payload {
    running.give();
    until_asked_to_stop(context);
    return {"raw", "done all the same"};
  });
  const JobId id = add();
  start();
  running.take();
  queue.cancel(id);
  BOOST_TEST(end(id).state == State::succeeded);
  BOOST_TEST(end(id).value.bytes == "done all the same");
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_handler_gets_no_retry_and_no_snooze, Workshop) {
  Signal running;
  handle("work", [&](const Payload& payload, Context& context) -> Payload {
    running.give();
    until_asked_to_stop(context);
    if (payload.bytes == "snooze") throw Verdict::snooze(1ms);
    throw Verdict::retry("again", 1ms);
  });
  const JobId snoozing = add({}, "snooze");
  const JobId retrying = add({}, "retry");
  start({.concurrency = 2});
  running.take(2);
  queue.cancel(snoozing);
  queue.cancel(retrying);
  BOOST_TEST(end(snoozing).state == State::cancelled);
  BOOST_TEST(end(retrying).state == State::cancelled);
}

// A handler that does not stop when it is asked to; released by the test.
struct Stuck {
  Signal running;
  Signal release;
  Signal returned;
  std::atomic<bool> is_late = false;

  Payload operator()(const Payload& payload, Context& context) {
    if (payload.bytes == "quick") return {"raw", "quick"};
    running.give();
    release.take();
    try {
      context.log("too late");
      context.progress(0.5);
      context.save("too late");
    } catch (const Conflict&) {
      is_late = true;
    }
    returned.give();
    return {"raw", "too late"};
  }
};

BOOST_AUTO_TEST_CASE(a_handler_that_ignores_its_time_out_is_given_up_and_its_slot_replaced) {
  Stuck stuck;
  Workshop shop;
  shop.handle("work", std::ref(stuck));
  const JobId id = shop.add({.max_retries = 0, .timeout = 10ms}, "stuck");
  shop.start({.concurrency = 1, .kill_grace = 10ms});
  const Result result = shop.end(id);
  BOOST_TEST(result.state == State::failed);
  BOOST_TEST(result.error ==
             "timed out after 10ms (its handler did not stop when it was asked to, and goes on without the job)");
  BOOST_TEST(shop.end(shop.add({}, "quick")).value.bytes == "quick");  // in another thread

  stuck.release.give();
  stuck.returned.take();
  BOOST_TEST(stuck.is_late);
  BOOST_TEST(shop.end(shop.add({}, "quick")).state == State::succeeded);
  BOOST_TEST(shop.info(id).state == State::failed);  // what it returned was dropped
  BOOST_TEST(shop.output(id) == "");
  BOOST_CHECK(!shop.queue.saved(id));
}

BOOST_AUTO_TEST_CASE(a_handler_that_ignores_a_cancel_is_given_up) {
  Stuck stuck;
  Workshop shop;
  shop.handle("work", std::ref(stuck));
  const JobId id = shop.add({}, "stuck");
  shop.start({.concurrency = 1, .kill_grace = 10ms});
  stuck.running.take();
  shop.queue.cancel(id, "enough");
  BOOST_TEST(shop.end(id).state == State::cancelled);
  BOOST_TEST(shop.end(shop.add({}, "quick")).state == State::succeeded);
  stuck.release.give();
  stuck.returned.take();
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_stopped_does_not_wait_for_a_stuck_handler) {
  Stuck stuck;
  {
    Workshop shop;
    shop.handle("work", std::ref(stuck));
    const JobId id = shop.add({}, "stuck");
    Worker& worker = shop.start({.concurrency = 1, .kill_grace = 10ms});
    stuck.running.take();
    worker.stop(true);
    BOOST_TEST(worker.join() == 1u);
    BOOST_TEST(shop.info(id).state == State::ready);
  }
  // The worker, and the store, are gone: it must notice, and touch neither.
  stuck.release.give();
  stuck.returned.take();
  BOOST_TEST(stuck.is_late);
}

BOOST_AUTO_TEST_CASE(many_stuck_handlers_leave_the_worker_its_slots) {
  Stuck stuck;
  Workshop shop;
  shop.handle("work", std::ref(stuck));
  std::vector<JobId> jobs;
  for (int i = 0; i < 6; ++i) jobs.push_back(shop.add({.max_retries = 0, .timeout = 5ms}, "stuck"));
  shop.start({.concurrency = 2, .kill_grace = 5ms});
  for (const JobId id : jobs) BOOST_TEST(shop.end(id).state == State::failed);
  for (int i = 0; i < 6; ++i) stuck.release.give();
  stuck.returned.take(6);
  BOOST_TEST(shop.end(shop.add({}, "quick")).state == State::succeeded);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
