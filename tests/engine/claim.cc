#include "world.hpp"

namespace tq::engine {
namespace {

BOOST_FIXTURE_TEST_SUITE(claim_, World)

BOOST_AUTO_TEST_CASE(a_claimed_job_runs_and_comes_with_all_that_its_worker_needs) {
  const WorkerId w = worker();
  const JobId id = add({.queue = "images", .timeout = 5s}, "work", "bytes");
  clock.advance(1s);
  const Claimed job = claim_one(w);
  BOOST_TEST(job.id == id);
  BOOST_TEST(job.queue == "images");
  BOOST_TEST(job.task == "work");
  BOOST_TEST(job.record.payload == "bytes");
  BOOST_TEST((job.record.header == header(id)));
  const JobInfo now = info(id);
  BOOST_TEST(now.state == State::running);
  BOOST_TEST(now.attempt == 1u);
  BOOST_TEST(now.worker == w);
  BOOST_TEST((now.started == kStart + 1s));
  BOOST_TEST(ids(jobs_of(read(), w)) == std::to_string(id));
  BOOST_TEST(history(id) == "enqueued started");
  BOOST_TEST(stats().attempts == 1u);
}

BOOST_AUTO_TEST_CASE(jobs_are_claimed_first_in_first_out_by_time_due_then_by_id) {
  const WorkerId w = worker();
  clock.advance(10s);
  add();  // 1
  add();  // 2: due at the same time
  clock.advance(-5s);
  add();                // 3: the clock was set back, so it is due before them
  add({.at = kStart});  // 4: asked for a time that is past: due now
  BOOST_TEST(ids(claim(w, 10)) == "3 4 1 2");
}

BOOST_AUTO_TEST_CASE(a_job_that_waited_for_its_time_stands_where_that_time_puts_it) {
  const WorkerId w = worker();
  add({.delay = 5s});  // 1
  clock.advance(4s);
  add();  // 2
  clock.advance(2s);
  add();  // 3
  fire_due();
  BOOST_TEST(ids(claim(w, 10)) == "2 1 3");
}

BOOST_AUTO_TEST_CASE(a_higher_priority_comes_first_and_ties_are_in_first_in_first_out_order) {
  const WorkerId w = worker();
  add({.priority = 0});
  add({.priority = 5});
  add({.priority = -1});
  add({.priority = INT32_MAX});
  add({.priority = INT32_MIN});
  add({.priority = 5});
  BOOST_TEST(ids(claim(w, 10)) == "4 2 6 1 3 5");
}

BOOST_AUTO_TEST_CASE(a_hundred_jobs_due_at_once_all_start_in_the_same_turn_the_oldest_first) {
  const WorkerId w = worker();
  add_many(100, {.delay = 1s});
  BOOST_TEST(claim(w, 1000).empty());
  clock.advance(1s);
  const std::vector<Claimed> claimed = change([&](Ledger& ledger) {
    engine::fire_due(ledger, 1000);
    return engine::claim(ledger, {.worker = w, .tasks = {"work"}, .limit = 1000});
  });
  BOOST_TEST_REQUIRE(claimed.size() == 100u);
  for (std::size_t i = 0; i < claimed.size(); ++i) BOOST_TEST(claimed[i].id == i + 1);
}

BOOST_AUTO_TEST_CASE(five_claimers_and_one_job_have_one_winner) {
  add();
  std::size_t winners = 0;
  for (int i = 0; i < 5; ++i) winners += claim(worker()).size();
  BOOST_TEST(winners == 1u);
}

BOOST_AUTO_TEST_CASE(no_more_are_claimed_than_asked_for) {
  const WorkerId w = worker();
  add_many(5);
  BOOST_TEST(claim(w, 0).empty());
  BOOST_TEST(!changed);
  BOOST_TEST(ids(claim(w, 3)) == "1 2 3");
  BOOST_TEST(ids(claim(w, 3)) == "4 5");
  BOOST_TEST(claim(w, 3).empty());
  BOOST_TEST(!changed);
}

BOOST_AUTO_TEST_CASE(without_named_queues_all_queues_are_one_line) {
  const WorkerId w = worker();
  add({.queue = "b"});
  add({.queue = "a", .priority = 1});
  clock.advance(1s);
  add({.queue = "a"});
  add({.queue = "b"});
  BOOST_TEST(ids(claim(w, 10)) == "2 1 3 4");
}

BOOST_AUTO_TEST_CASE(several_tasks_are_one_line_within_a_queue) {
  const WorkerId w = worker();
  add({}, "x");
  add({}, "y");
  add({}, "z");
  add({.priority = 1}, "y");
  add({}, "x");
  BOOST_TEST(ids(claim({.worker = w, .tasks = {"y", "x"}, .limit = 10})) == "4 1 2 5");
  BOOST_TEST(state(3) == State::ready);
}

BOOST_AUTO_TEST_CASE(named_queues_are_looked_at_strictly_in_their_order) {
  const WorkerId w = worker();
  add({.queue = "low", .priority = 100});
  add({.queue = "high"});
  add({.queue = "other"});
  add({.queue = "high"});
  BOOST_TEST(ids(claim(w, 10, {"high", "nowhere", "low"})) == "2 4 1");
  BOOST_TEST(state(3) == State::ready);
}

BOOST_AUTO_TEST_CASE(a_task_or_queue_that_is_named_twice_gives_each_job_once) {
  const WorkerId w = worker();
  add();
  add();
  BOOST_TEST(ids(claim({.worker = w, .queues = {"default", "default"}, .tasks = {"work", "work"}, .limit = 10})) ==
             "1 2");
  BOOST_TEST(info(1).attempt == 1u);
  BOOST_TEST(stats().attempts == 2u);
}

BOOST_AUTO_TEST_CASE(a_task_nobody_has_named_leaves_the_line_alone) {
  const WorkerId w = worker();
  add({}, "other");
  BOOST_TEST(claim({.worker = w, .tasks = {}, .limit = 10}).empty());
  BOOST_TEST(claim({.worker = w, .tasks = {"unheard-of"}, .limit = 10}).empty());
  BOOST_TEST(!changed);
  BOOST_TEST(state(1) == State::ready);
}

BOOST_AUTO_TEST_CASE(all_tasks_but_those_named_can_be_claimed) {
  const WorkerId w = worker();
  add({}, "x");
  add({}, "y");
  add({}, "z");
  BOOST_TEST(ids(claim({.worker = w, .tasks = {"y", "unheard-of"}, .tasks_are_excluded = true, .limit = 10})) == "1 3");
  BOOST_TEST(ids(claim({.worker = w, .tasks_are_excluded = true, .limit = 10})) == "2");
}

BOOST_AUTO_TEST_CASE(nothing_of_a_paused_queue_is_claimed) {
  const WorkerId w = worker();
  add({.queue = "a"});
  add({.queue = "b"});
  pause("a");
  BOOST_TEST(ids(claim(w, 10)) == "2");
  BOOST_TEST(claim(w, 10, {"a"}).empty());
  resume("a");
  BOOST_TEST(ids(claim(w, 10, {"a"})) == "1");
}

BOOST_AUTO_TEST_CASE(whether_anything_is_ready_can_be_asked_without_a_claim) {
  const auto is_ready = [&](const std::vector<std::string>& queues) { return has_ready(read(), queues); };
  BOOST_TEST(!is_ready({}));
  BOOST_TEST(!is_ready({"a"}));  // not there yet
  add({.queue = "a"});
  add({.queue = "later", .delay = 1h});
  BOOST_TEST(is_ready({}));
  BOOST_TEST(is_ready({"later", "a"}));
  BOOST_TEST(!is_ready({"later"}));
  pause("a");
  BOOST_TEST(!is_ready({}));
  BOOST_TEST(!is_ready({"a"}));
}

BOOST_AUTO_TEST_CASE(a_job_whose_start_deadline_has_passed_never_runs_and_says_so_in_the_log) {
  const WorkerId w = worker();
  add({.expires_in = 10s});
  add({.expires_in = 10s + 1ms});
  add();
  clock.advance(10s);
  BOOST_TEST(ids(claim(w, 10)) == "2 3");
  BOOST_TEST(state(1) == State::expired);
  BOOST_TEST(history(1) == "enqueued expired");
  BOOST_TEST(events({.types = {EventType::expired}}).at(0).text == "its deadline to start passed");
  BOOST_TEST(stats().expired == 1u);
  BOOST_TEST(touched.finals);
}

BOOST_AUTO_TEST_CASE(expired_jobs_in_front_do_not_hide_those_behind) {
  const WorkerId w = worker();
  add_many(50, {.expires_in = 1s});
  add();
  clock.advance(1s);
  BOOST_TEST(ids(claim(w, 1)) == "51");
  BOOST_TEST(queue()[State::expired] == 50u);
}

BOOST_AUTO_TEST_CASE(a_claim_lets_only_so_many_jobs_expire_at_a_time) {
  const WorkerId w = worker();
  add_many(5000, {.expires_in = 1s});
  add();
  clock.advance(1s);
  BOOST_TEST(claim(w, 1).empty());
  BOOST_TEST(queue()[State::expired] < 5000u);
  std::size_t turns = 0;
  while (claim(w, 1).empty()) BOOST_TEST_REQUIRE(++turns < 100u);
  BOOST_TEST(state(5001) == State::running);
}

BOOST_AUTO_TEST_CASE(a_deadline_to_start_does_not_matter_once_a_job_has_started) {
  const WorkerId w = worker();
  const Claimed first = start(w, {.expires_in = 10s});
  finish(first, interrupted());
  clock.advance(1h);
  fire_due();
  BOOST_TEST(state(1) == State::ready);
  BOOST_TEST(ids(claim(w)) == "1");
}

BOOST_AUTO_TEST_CASE(nothing_is_claimed_for_a_worker_that_is_not_registered) {
  // Nobody would ever rescue its jobs.
  add();
  BOOST_TEST(claim(WorkerId{77}).empty());
  const WorkerId w = worker();
  rescue(w);
  BOOST_TEST(claim(w).empty());
  BOOST_TEST(state(1) == State::ready);
}

BOOST_AUTO_TEST_CASE(each_claim_counts_an_attempt_and_a_run) {
  const WorkerId w = worker();
  Claimed job = start(w);
  BOOST_TEST(job.record.header.run == 1u);
  finish(job, failed());
  clock.advance(1h);
  fire_due();
  job = claim_one(w);
  BOOST_TEST(job.record.header.run == 2u);
  BOOST_TEST(job.record.header.attempt == 2u);
  finish(job, interrupted());
  job = claim_one(w);
  BOOST_TEST(job.record.header.run == 3u);
  BOOST_TEST(job.record.header.attempt == 2u);
  BOOST_TEST(stats().attempts == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
