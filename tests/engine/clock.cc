// The clock may jump ten years either way: nothing is lost, nothing is stuck, nothing runs early.
#include "world.hpp"

namespace tq::engine {
namespace {

constexpr Duration kTenYears = 24h * 3652;

BOOST_FIXTURE_TEST_SUITE(clock_, World)

BOOST_AUTO_TEST_CASE(when_the_clock_is_set_ten_years_ahead_what_waits_is_due) {
  const WorkerId w = worker();
  add();
  add({.delay = 1h});
  const Claimed running = start(w, {.priority = 1});
  finish(running, failed());
  clock.advance(kTenYears);
  fire_due();
  BOOST_TEST(ids(claim(w, 10)) == "3 1 2");
}

BOOST_AUTO_TEST_CASE(when_the_clock_is_set_ten_years_ahead_a_running_job_still_runs_and_can_end) {
  const WorkerId w = worker();
  const Claimed job = start(w);
  clock.advance(kTenYears);
  fire_due();
  collect();
  BOOST_TEST(state(job.id) == State::running);
  BOOST_TEST(claim(w, 10).empty());
  BOOST_TEST(finish(job, succeeded()));
}

BOOST_AUTO_TEST_CASE(when_the_clock_is_set_ten_years_back_what_is_ready_is_still_claimed) {
  const WorkerId w = worker();
  const Claimed running = start(w);
  add();
  clock.advance(-kTenYears);
  add();
  fire_due();
  BOOST_TEST(ids(claim(w, 10)) == "3 2");  // by time due
  BOOST_TEST(finish(running, succeeded()));
  BOOST_TEST((info(1).finished == clock.now()));
  BOOST_TEST(history(1) == "enqueued started succeeded");
}

BOOST_AUTO_TEST_CASE(when_the_clock_is_set_ten_years_back_a_wait_begins_anew_and_is_not_stuck) {
  const WorkerId w = worker();
  add({.delay = 1h});
  finish(start(w, {.backoff = {.base = 30min, .jitter = 0}}), failed());
  finish(start(w), snoozed(2h));
  clock.advance(-kTenYears);
  BOOST_TEST(fire_due() == 3u);
  BOOST_TEST(claim(w, 10).empty());
  BOOST_TEST(fire_due() == 0u);
  for (const JobId next : {2u, 1u, 3u}) {
    clock.set(next_due(read()).value());
    fire_due();
    BOOST_TEST(ids(claim(w, 10)) == std::to_string(next));
  }
  BOOST_TEST((clock.now() == kStart - kTenYears + 2h));
  BOOST_TEST((info(1).enqueued == kStart - kTenYears));
  BOOST_TEST(history(2) == "enqueued started retrying changed due started");
}

BOOST_AUTO_TEST_CASE(a_wait_for_a_named_time_ends_at_that_time_whatever_the_clock_did_before) {
  const WorkerId w = worker();
  add({.at = kStart + 1h});
  add({.delay = 1h});
  set(2, {.at = kStart + 2h});
  clock.advance(-kTenYears);
  BOOST_TEST(fire_due() == 0u);
  clock.set(kStart + 1h);
  fire_due();
  BOOST_TEST(ids(claim(w, 10)) == "1");
}

BOOST_AUTO_TEST_CASE(a_clock_that_is_put_right_by_a_little_changes_no_wait) {
  add({.delay = 10s});
  clock.advance(-1s);
  BOOST_TEST(fire_due() == 0u);
  BOOST_TEST((info(1).due == kStart + 10s));
}

BOOST_AUTO_TEST_CASE(an_attempt_during_which_the_clock_was_set_back_waits_as_long_as_any_other) {
  const WorkerId w = worker();
  const Claimed job = start(w, {.backoff = {.base = 10s, .jitter = 0}});
  clock.advance(-kTenYears);
  finish(job, failed());
  BOOST_TEST(fire_due() == 0u);
  clock.advance(10s - 1ms);
  BOOST_TEST(fire_due() == 0u);
  clock.advance(1ms);
  BOOST_TEST(fire_due() == 1u);
  BOOST_TEST(ids(claim(w)) == "1");
}

BOOST_AUTO_TEST_CASE(many_waits_begin_anew_a_few_at_a_time) {
  add_many(10, {.delay = 1h});
  clock.advance(-kTenYears);
  BOOST_TEST(fire_due(4) == 4u);
  BOOST_TEST(fire_due(4) == 4u);
  BOOST_TEST(fire_due(4) == 2u);
  BOOST_TEST(fire_due(4) == 0u);
  BOOST_TEST((next_due(read()) == clock.now() + 1h));
}

BOOST_AUTO_TEST_CASE(when_the_clock_is_set_ten_years_back_final_jobs_are_kept_longer_not_lost) {
  const WorkerId w = worker();
  finish(start(w), succeeded("kept"));
  clock.advance(-kTenYears);
  BOOST_TEST(collect().jobs == 0u);
  finish(start(w), succeeded("also"));
  clock.advance(24h * 8);
  BOOST_TEST(collect().jobs == 1u);
  BOOST_TEST(result(1)->value.bytes == "kept");
}

BOOST_AUTO_TEST_CASE(an_event_log_with_a_jump_in_it_stays_whole_and_is_cut_from_its_old_end) {
  const WorkerId w = worker();
  add();
  clock.advance(kTenYears);
  add();
  clock.advance(-kTenYears);
  finish(claim_one(w), succeeded());
  BOOST_TEST(history(1) == "enqueued started succeeded");
  EventSeq before = 0;
  for (const Event& event : events()) BOOST_TEST(event.seq == ++before);
  clock.advance(24h * 31);
  collect();
  BOOST_TEST((events().empty() || events().front().seq > 1));
}

BOOST_AUTO_TEST_CASE(events_from_the_future_are_as_old_as_what_came_after_them) {
  retention.events = 1h;
  clock.advance(kTenYears);
  add_many(10);
  clock.advance(-kTenYears);
  BOOST_TEST(!collect().more);
  add();
  clock.advance(1h);
  add_many(4);
  BOOST_TEST(!collect().more);
  BOOST_TEST(events().size() == 16u);
  clock.advance(1ms);
  BOOST_TEST(collect(5).more);
  BOOST_TEST(events().size() == 11u);
  while (collect(5).more) continue;
  BOOST_TEST(types(events()) == "enqueued enqueued enqueued enqueued");
}

BOOST_AUTO_TEST_CASE(a_store_may_be_used_before_1970) {
  clock.set(Time(Duration(-1000)));
  const WorkerId w = worker();
  add({.delay = 500ms});
  finish(start(w), failed());
  clock.advance(500ms);
  fire_due();
  BOOST_TEST(ids(claim(w)) == "1");
  collect();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
