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

BOOST_AUTO_TEST_CASE(when_the_clock_is_set_ten_years_back_nothing_that_waits_runs_early) {
  const WorkerId w = worker();
  const JobId id = add({.delay = 1h});
  clock.advance(-kTenYears);
  fire_due();
  BOOST_TEST(claim(w, 10).empty());
  clock.advance(kTenYears);
  fire_due();
  BOOST_TEST(claim(w, 10).empty());
  clock.advance(1h);
  fire_due();
  BOOST_TEST(ids(claim(w, 10)) == std::to_string(id));
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
