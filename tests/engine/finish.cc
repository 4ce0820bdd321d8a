#include "engine/finish.hpp"

#include "world.hpp"

#include <functional>
#include <limits>

namespace tq::engine {
namespace {

BOOST_FIXTURE_TEST_SUITE(finish_, World)

// Sends the job round until it is final; returns how many attempts that took.
std::size_t run_to_the_end(World& world, JobId id, const std::function<Outcome()>& outcome) {
  const WorkerId w = world.worker();
  std::size_t attempts = 0;
  while (!is_final(world.state(id))) {
    world.clock.advance(24h);
    world.fire_due();
    world.finish(world.claim_one(w), outcome());
    BOOST_TEST_REQUIRE(++attempts < 100u);
  }
  return attempts;
}

BOOST_AUTO_TEST_CASE(a_success_keeps_the_result_byte_for_byte) {
  const WorkerId w = worker();
  const std::string nuls("a\0b\0\xff", 5);
  for (const std::string& bytes : {std::string(), nuls, std::string(model::kInlineBytes, 'x')}) {
    const Claimed job = start(w);
    clock.advance(1s);
    BOOST_TEST(finish(job, succeeded(bytes, "json")));
    const std::optional<Result> result = this->result(job.id);
    BOOST_TEST_REQUIRE(result.has_value());
    BOOST_TEST(result->state == State::succeeded);
    BOOST_TEST((result->value == Payload{"json", bytes}));
    BOOST_TEST(result->error.empty());
    BOOST_TEST(info(job.id).result_bytes == bytes.size());
    BOOST_TEST((info(job.id).finished == clock.now()));
    BOOST_TEST(history(job.id) == "enqueued started succeeded");
  }
  BOOST_TEST(stats().succeeded == 3u);
}

BOOST_AUTO_TEST_CASE(a_large_result_is_a_blob) {
  const WorkerId w = worker();
  const Claimed job = start(w);
  const std::string bytes(50'000, 'r');
  Outcome outcome = succeeded({}, "raw");
  outcome.result_blob.emplace(*environment, bytes);
  finish(job, std::move(outcome));
  BOOST_TEST((result(job.id)->value.bytes == bytes));
  BOOST_TEST(info(job.id).result_bytes == bytes.size());
}

BOOST_AUTO_TEST_CASE(n_retries_mean_at_most_one_attempt_more) {
  for (const std::uint32_t retries : {0u, 1u, 3u}) {
    const JobId id = add({.max_retries = retries});
    BOOST_TEST(run_to_the_end(*this, id, [] { return failed(); }) == retries + 1);
    BOOST_TEST(state(id) == State::failed);
    BOOST_TEST(info(id).attempt == retries + 1);
  }
}

BOOST_AUTO_TEST_CASE(a_failure_schedules_exactly_one_retry_that_is_not_claimable_before_its_time) {
  const WorkerId w = worker();
  const Claimed job = start(w, {.backoff = {.base = 10s, .jitter = 0}});
  finish(job, failed("first"));
  BOOST_TEST(state(job.id) == State::retrying);
  BOOST_TEST(info(job.id).error == "first");
  BOOST_TEST((info(job.id).due == kStart + 10s));
  BOOST_TEST((next_due(read()) == kStart + 10s));
  clock.advance(10s - 1ms);
  BOOST_TEST(fire_due() == 0u);
  BOOST_TEST(claim(w).empty());
  clock.advance(1ms);
  BOOST_TEST(fire_due() == 1u);
  BOOST_TEST(fire_due() == 0u);
  BOOST_TEST(ids(claim(w, 10)) == std::to_string(job.id));
  BOOST_TEST(history(job.id) == "enqueued started retrying due started");
}

BOOST_AUTO_TEST_CASE(delays_grow_and_the_jitter_is_bounded) {
  const WorkerId w = worker();
  const JobId id = add({.max_retries = 6, .backoff = {.base = 100s, .cap = 1000s, .jitter = 0.1}});
  for (const Duration expected : {100s, 200s, 400s, 800s, 1000s, 1000s}) {
    finish(claim_one(w), failed());
    const Duration delay = *info(id).due - clock.now();
    BOOST_TEST(delay.count() >= expected.count() * 9 / 10);
    BOOST_TEST(delay.count() <= expected.count() * 11 / 10);
    clock.set(*info(id).due);
    fire_due();
  }
}

BOOST_AUTO_TEST_CASE(a_handler_may_say_when_the_retry_is) {
  const WorkerId w = worker();
  const Claimed job = start(w);
  Outcome outcome = failed();
  outcome.delay = 7min;
  finish(job, std::move(outcome));
  BOOST_TEST((info(job.id).due == kStart + 7min));
}

BOOST_AUTO_TEST_CASE(an_absurd_delay_is_cut_to_what_a_time_can_hold) {
  const WorkerId w = worker();
  for (const Duration delay : {Duration::max(), Duration::min()}) {
    for (const auto kind : {Outcome::Kind::failed, Outcome::Kind::snoozed}) {
      const Claimed job = start(w, {.priority = 1});
      Outcome outcome{.kind = kind, .delay = delay};
      finish(job, std::move(outcome));
      const Time due = info(job.id).due.value();
      BOOST_TEST((due >= clock.now() && due <= clock.now() + kMaxDuration));
      cancel(job.id);
    }
  }
}

BOOST_AUTO_TEST_CASE(the_last_failure_is_stored_with_its_error_and_the_job_does_not_stay_running) {
  const JobId id = add({.max_retries = 1});
  int attempt = 0;
  run_to_the_end(*this, id, [&] { return failed("boom " + std::to_string(++attempt)); });
  BOOST_TEST(info(id).error == "boom 2");
  BOOST_TEST(result(id)->error == "boom 2");
  BOOST_TEST(result(id)->state == State::failed);
  BOOST_TEST(result(id)->value.bytes.empty());
  BOOST_TEST(queue()[State::running] == 0u);
  BOOST_TEST(history(id) == "enqueued started retrying due started failed");
  BOOST_TEST(events({.types = {EventType::failed}}).at(0).text == "boom 2");
}

BOOST_AUTO_TEST_CASE(a_failure_for_good_is_not_retried) {
  const WorkerId w = worker();
  const Claimed job = start(w, {.max_retries = 5});
  finish(job, failed_for_good());
  BOOST_TEST(state(job.id) == State::failed);
  BOOST_TEST(info(job.id).attempt == 1u);
}

BOOST_AUTO_TEST_CASE(an_error_that_is_too_long_is_cut) {
  const WorkerId w = worker();
  const Claimed job = start(w);
  finish(job, failed_for_good(std::string(100'000, 'e') + '\xff'));
  BOOST_TEST(info(job.id).error.size() <= kMaxErrorBytes);
  BOOST_TEST(info(job.id).error.size() > kMaxErrorBytes - 10);
}

BOOST_AUTO_TEST_CASE(a_success_after_a_failure_has_no_error) {
  const WorkerId w = worker();
  finish(start(w), failed());
  clock.advance(1h);
  fire_due();
  finish(claim_one(w), succeeded("fine"));
  BOOST_TEST(info(1).error.empty());
  BOOST_TEST(result(1)->error.empty());
}

BOOST_AUTO_TEST_CASE(the_exit_code_is_that_of_the_last_attempt) {
  const WorkerId w = worker();
  Claimed job = start(w);
  BOOST_TEST(!info(1).exit_code.has_value());
  Outcome outcome = failed();
  outcome.exit_code = 3;
  finish(job, std::move(outcome));
  BOOST_TEST(info(1).exit_code.value() == 3);
  retry(1);
  job = claim_one(w);
  BOOST_TEST(!info(1).exit_code.has_value());
  outcome = succeeded();
  outcome.exit_code = 0;
  finish(job, std::move(outcome));
  BOOST_TEST(result(1)->exit_code.value() == 0);
}

BOOST_AUTO_TEST_CASE(a_snooze_comes_again_after_its_delay_and_uses_no_attempt) {
  const WorkerId w = worker();
  const Claimed job = start(w, {.max_retries = 0});
  finish(job, snoozed(10s));
  BOOST_TEST(state(job.id) == State::scheduled);
  BOOST_TEST(info(job.id).attempt == 0u);
  clock.advance(10s);
  fire_due();
  BOOST_TEST(claim_one(w).record.header.attempt == 1u);
  BOOST_TEST(history(job.id) == "enqueued started snoozed due started");
  BOOST_TEST(events({.types = {EventType::snoozed}}).at(0).attempt == 1u);
}

BOOST_AUTO_TEST_CASE(a_snooze_without_a_delay_is_ready_at_once) {
  const WorkerId w = worker();
  finish(start(w), snoozed());
  BOOST_TEST(state(1) == State::ready);
  finish(claim_one(w), snoozed(-5s));
  BOOST_TEST(state(1) == State::ready);
}

BOOST_AUTO_TEST_CASE(an_interrupted_job_is_ready_at_its_old_place_and_costs_no_attempt) {
  const WorkerId w = worker();
  const Claimed first = start(w, {.max_retries = 0});
  clock.advance(1s);
  add();
  finish(first, interrupted());
  BOOST_TEST(info(1).attempt == 0u);
  BOOST_TEST(history(1) == "enqueued started interrupted");
  BOOST_TEST(ids(claim(w, 10)) == "1 2");
  BOOST_TEST(touched.queues.empty());
}

BOOST_AUTO_TEST_CASE(a_handler_may_cancel_its_job) {
  const WorkerId w = worker();
  const Claimed job = start(w);
  finish(job, cancelled("not needed"));
  BOOST_TEST(state(job.id) == State::cancelled);
  BOOST_TEST(result(job.id)->error == "not needed");
  BOOST_TEST(history(job.id) == "enqueued started cancelled");
}

BOOST_AUTO_TEST_CASE(a_completion_of_a_lost_attempt_is_rejected) {
  const WorkerId a = worker();
  const WorkerId b = worker();
  const Claimed lost = start(a);
  rescue(a);
  BOOST_TEST(!finish(lost, succeeded("late")));
  BOOST_TEST(!changed);
  const Claimed second = claim_one(b);
  for (const auto kind : {Outcome::Kind::succeeded, Outcome::Kind::failed, Outcome::Kind::cancelled,
                          Outcome::Kind::interrupted, Outcome::Kind::snoozed}) {
    BOOST_TEST(!finish(lost, {.kind = kind}));
    BOOST_TEST(!changed);
  }
  BOOST_TEST(finish(second, succeeded("right")));
  BOOST_TEST(result(1)->value.bytes == "right");
  BOOST_TEST(!finish(second, failed()));
}

BOOST_AUTO_TEST_CASE(an_attempt_is_held_by_job_run_and_worker_together) {
  const WorkerId w = worker();
  const RunKey right = key(start(w));
  const auto try_to_finish = [&](const RunKey& key) {
    return change([&](Ledger& ledger) { return engine::finish(ledger, key, succeeded()); });
  };
  BOOST_TEST(!try_to_finish({right.job + 1, right.run, right.worker}));
  BOOST_TEST(!try_to_finish({right.job, right.run + 1, right.worker}));
  BOOST_TEST(!try_to_finish({right.job, right.run, right.worker + 1}));
  BOOST_TEST(try_to_finish(right));
}

BOOST_AUTO_TEST_CASE(a_saved_state_is_there_in_the_next_attempt) {
  const WorkerId w = worker();
  Claimed job = start(w);
  const auto save = [&](std::string bytes) {
    return change([&](Ledger& ledger) { return save_state(ledger, key(job), {*environment, std::move(bytes)}); });
  };
  BOOST_TEST(!saved_state(read(), 1).has_value());
  BOOST_TEST(save("page 7"));
  BOOST_TEST(save(std::string(10'000, '8')));
  BOOST_TEST((saved_state(read(), 1) == std::string(10'000, '8')));
  BOOST_TEST(save(std::string("\0", 1)));
  finish(job, failed());
  BOOST_TEST((saved_state(read(), 1) == std::string("\0", 1)));
  BOOST_TEST(!save("late"));
  BOOST_TEST(!changed);
}

BOOST_AUTO_TEST_CASE(progress_is_an_event_of_the_attempt) {
  const WorkerId w = worker();
  const Claimed job = start(w);
  const auto report = [&](double fraction, std::string_view text) {
    return change([&](Ledger& ledger) { return report_progress(ledger, key(job), fraction, text); });
  };
  BOOST_TEST(report(0.25, "a quarter"));
  BOOST_TEST(report(-1, ""));
  BOOST_TEST(report(1e300, ""));
  BOOST_TEST(report(std::numeric_limits<double>::quiet_NaN(), ""));
  BOOST_TEST(report(std::numeric_limits<double>::infinity(), std::string(100'000, 'p')));
  const std::vector<Event> events = this->events({.job = 1, .types = {EventType::progress}});
  BOOST_TEST_REQUIRE(events.size() == 5u);
  BOOST_TEST(events[0].fraction == 0.25);
  BOOST_TEST(events[0].text == "a quarter");
  BOOST_TEST(events[0].attempt == 1u);
  BOOST_TEST(events[0].worker == w);
  BOOST_TEST(events[1].fraction == 0);
  BOOST_TEST(events[2].fraction == 1);
  BOOST_TEST(events[3].fraction == 0);
  BOOST_TEST(events[4].fraction == 1);
  BOOST_TEST(events[4].text.size() <= kMaxErrorBytes);
  finish(job, succeeded());
  BOOST_TEST(!report(1, "late"));
  BOOST_TEST(!changed);
}

BOOST_AUTO_TEST_CASE(the_events_of_a_job_come_in_order) {
  const WorkerId w = worker();
  const JobId id = add({.max_retries = 1});
  Claimed job = claim_one(w);
  change([&](Ledger& ledger) { report_progress(ledger, key(job), 0.5, {}); });
  finish(job, failed());
  clock.advance(1h);
  fire_due();
  finish(claim_one(w), failed());
  BOOST_TEST(history(id) == "enqueued started progress retrying due started failed");
  EventSeq before = 0;
  for (const Event& event : events({.job = id})) {
    BOOST_TEST(event.seq > before);
    before = event.seq;
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
