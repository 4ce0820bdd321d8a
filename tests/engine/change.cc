// Changes to waiting jobs, and to queues.
#include "engine/steer.hpp"
#include "world.hpp"

namespace tq::engine {
namespace {

BOOST_FIXTURE_TEST_SUITE(change_, World)

BOOST_AUTO_TEST_CASE(a_waiting_job_moves_to_another_queue_with_its_counters) {
  add({.queue = "a"});
  add({.queue = "a", .delay = 1h});
  set(1, {.queue = "b"});
  BOOST_TEST(touched.queues.size() == 1u);
  set(2, {.queue = "b"});
  BOOST_TEST(info(1).queue == "b");
  BOOST_TEST(queue("a").unfinished() == 0u);
  BOOST_TEST(queue("b")[State::ready] == 1u);
  BOOST_TEST(queue("b")[State::scheduled] == 1u);
  const WorkerId w = worker();
  BOOST_TEST(claim(w, 10, {"a"}).empty());
  BOOST_TEST(ids(claim(w, 10, {"b"})) == "1");
  BOOST_TEST(history(1) == "enqueued changed started");
}

BOOST_AUTO_TEST_CASE(a_job_does_not_move_into_a_full_queue) {
  configure("full", {.max_size = 1});
  add({.queue = "full"});
  add({.queue = "a"});
  BOOST_CHECK_THROW(set(2, {.queue = "full"}), QueueFull);
  BOOST_TEST(info(2).queue == "a");
  set(1, {.queue = "full"});  // it is there already
}

BOOST_AUTO_TEST_CASE(a_new_priority_is_a_new_place_in_the_line) {
  add();
  add();
  set(2, {.priority = 1});
  BOOST_TEST(ids(claim(worker(), 10)) == "2 1");
}

BOOST_AUTO_TEST_CASE(a_new_time_decides_between_scheduled_and_ready) {
  add();
  set(1, {.at = kStart + 1h});
  BOOST_TEST(state(1) == State::scheduled);
  BOOST_TEST((next_due(read()) == kStart + 1h));
  set(1, {.at = kStart + 2h});
  BOOST_TEST(state(1) == State::scheduled);
  BOOST_TEST((info(1).due == kStart + 2h));
  set(1, {.at = kStart - 1h});
  BOOST_TEST(state(1) == State::ready);
  BOOST_TEST((info(1).due == kStart));
  BOOST_TEST(!next_due(read()).has_value());
  BOOST_TEST(ids(claim(worker(), 10)) == "1");
}

BOOST_AUTO_TEST_CASE(a_job_that_waits_for_its_next_attempt_still_does_at_a_new_time) {
  const WorkerId w = worker();
  finish(start(w), failed());
  set(1, {.at = kStart + 5h});
  BOOST_TEST(state(1) == State::retrying);
  clock.advance(4h);
  BOOST_TEST(fire_due() == 0u);
  set(1, {.at = kStart});
  BOOST_TEST(state(1) == State::ready);
  BOOST_TEST(claim_one(w).record.header.attempt == 2u);
}

BOOST_AUTO_TEST_CASE(new_labels_replace_the_old_ones) {
  add({.labels = {"a", "b"}});
  set(1, {.labels = std::vector<std::string>{"c"}});
  BOOST_TEST((info(1).labels == std::vector<std::string>{"c"}));
  BOOST_TEST(ids(list({.label = "c"})) == "1");
  BOOST_TEST(list({.label = "a"}).empty());
  set(1, {.labels = std::vector<std::string>{}});
  BOOST_TEST(info(1).labels.empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_named_stays) {
  add({.queue = "q", .priority = 3, .delay = 1h, .labels = {"a"}}, "work", "payload");
  set(1, {.priority = 4});
  const JobInfo job = info(1);
  BOOST_TEST(job.queue == "q");
  BOOST_TEST(job.priority == 4);
  BOOST_TEST(job.state == State::scheduled);
  BOOST_TEST((job.due == kStart + 1h));
  BOOST_TEST((job.labels == std::vector<std::string>{"a"}));
  BOOST_TEST(payload(1) == "payload");
}

BOOST_AUTO_TEST_CASE(a_job_that_runs_or_is_final_cannot_be_changed) {
  const WorkerId w = worker();
  const Claimed job = start(w);
  BOOST_CHECK_THROW(set(1, {.priority = 1}), Conflict);
  finish(job, succeeded());
  BOOST_CHECK_THROW(set(1, {.priority = 1}), Conflict);
  BOOST_CHECK_THROW(set(2, {.priority = 1}), NotFound);
}

BOOST_AUTO_TEST_CASE(a_deadline_moves_with_its_job) {
  add({.expires_in = 1h});
  set(1, {.queue = "b", .priority = 1, .at = kStart + 2h});
  clock.advance(1h);
  fire_due();
  BOOST_TEST(state(1) == State::expired);
  BOOST_TEST(queue("b")[State::expired] == 1u);
}

BOOST_AUTO_TEST_CASE(a_queue_is_made_by_pausing_or_configuring_it) {
  pause("p");
  configure("c", {.max_size = 5});
  configure("d", {});
  BOOST_TEST(queue("p").paused);
  BOOST_TEST(queue("c").settings.max_size == 5u);
  BOOST_TEST(queue("d").settings.max_size == 0u);
  BOOST_CHECK_THROW(resume("r"), NotFound);
  BOOST_TEST(types(events()) == "queue_created queue_paused queue_created queue_changed queue_created");
}

BOOST_AUTO_TEST_CASE(pausing_twice_or_changing_nothing_says_nothing) {
  add();
  pause("default");
  pause("default");
  BOOST_TEST(!changed);
  resume("default");
  BOOST_TEST(touched.queues.size() == 1u);
  resume("default");
  BOOST_TEST(!changed);
  configure("default", {});
  BOOST_TEST(!changed);
  BOOST_TEST(types(events({.after = 2})) == "queue_paused queue_resumed");
}

BOOST_AUTO_TEST_CASE(a_paused_queue_takes_new_jobs_and_what_runs_goes_on) {
  const WorkerId w = worker();
  const Claimed job = start(w);
  pause("default");
  add();
  BOOST_TEST(finish(job, succeeded()));
  BOOST_TEST(claim(w, 10).empty());
  resume("default");
  BOOST_TEST(ids(claim(w, 10)) == "2");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
