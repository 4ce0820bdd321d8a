// The jobs that an attempt enqueues are in the transaction of its success, or not there at all.
#include "engine/finish.hpp"
#include "world.hpp"

namespace tq::engine {
namespace {

struct FollowUps : World {
  const WorkerId w = worker();

  Outcome success_with(const std::vector<EnqueueOptions>& jobs) {
    Outcome outcome = succeeded("result");
    for (const EnqueueOptions& options : jobs) outcome.follow_ups.push_back(make(options, "next"));
    return outcome;
  }
};

BOOST_FIXTURE_TEST_SUITE(follow_ups, FollowUps)

BOOST_AUTO_TEST_CASE(follow_ups_are_enqueued_with_a_success) {
  const Claimed job = start(w);
  Outcome outcome = success_with({{.queue = "a"}, {.delay = 1h}});
  outcome.follow_ups.push_back(make({}, "next", std::string(20'000, 'p')));
  finish(job, std::move(outcome));
  BOOST_TEST(state(1) == State::succeeded);
  BOOST_TEST(info(2).queue == "a");
  BOOST_TEST(state(3) == State::scheduled);
  BOOST_TEST(payload(4).size() == 20'000u);
  BOOST_TEST(touched.queues.size() == 2u);
  BOOST_TEST(types(events({.after = 4})) == "succeeded queue_created enqueued enqueued enqueued");
}

BOOST_AUTO_TEST_CASE(no_other_outcome_enqueues_them) {
  for (const Outcome::Kind kind :
       {Outcome::Kind::failed, Outcome::Kind::cancelled, Outcome::Kind::interrupted, Outcome::Kind::snoozed}) {
    const Claimed job = start(w, {.priority = 1});
    Outcome outcome = success_with({{}});
    outcome.kind = kind;
    finish(job, std::move(outcome));
    if (!is_final(state(job.id))) cancel(job.id);
  }
  BOOST_TEST(stats().enqueued == 4u);
}

BOOST_AUTO_TEST_CASE(follow_ups_that_do_not_fit_make_a_success_a_failure) {
  configure("small", {.max_size = 2});
  add({.queue = "small"}, "other");
  const Claimed job = start(w, {.max_retries = 1});
  finish(job, success_with({{.queue = "small"}, {}, {.queue = "small"}}));
  BOOST_TEST(state(job.id) == State::retrying);
  BOOST_TEST(info(job.id).error.find("'small'") != std::string::npos);
  BOOST_TEST(info(job.id).error.find("2") != std::string::npos);
  BOOST_TEST(info(job.id).result_bytes == 0u);
  BOOST_TEST(stats().enqueued == 2u);
  clock.advance(1h);
  fire_due();
  finish(claim_one(w), success_with({{.queue = "small"}}));
  BOOST_TEST(state(job.id) == State::succeeded);
  BOOST_TEST(queue("small").unfinished() == 2u);
}

BOOST_AUTO_TEST_CASE(a_large_result_goes_with_the_success_that_was_none) {
  configure("small", {.max_size = 1});
  add({.queue = "small"}, "other");
  Outcome outcome = success_with({{.queue = "small"}});
  outcome.result.bytes.clear();
  outcome.result_blob.emplace(*environment, std::string(50'000, 'r'));
  finish(start(w), std::move(outcome));
  BOOST_TEST(state(2) == State::retrying);
  BOOST_TEST(info(2).result_bytes == 0u);
}

BOOST_AUTO_TEST_CASE(a_job_that_ends_makes_room_for_its_own_follow_up) {
  configure("default", {.max_size = 1});
  finish(start(w), success_with({{}}));
  BOOST_TEST(state(1) == State::succeeded);
  BOOST_TEST(state(2) == State::ready);
  BOOST_TEST(queue().unfinished() == 1u);
}

BOOST_AUTO_TEST_CASE(but_not_for_two) {
  configure("default", {.max_size = 1});
  finish(start(w), success_with({{}, {}}));
  BOOST_TEST(state(1) == State::retrying);
  BOOST_TEST(queue().unfinished() == 1u);
}

BOOST_AUTO_TEST_CASE(a_job_that_was_asked_to_stop_and_whose_follow_ups_do_not_fit_is_cancelled) {
  configure("small", {.max_size = 1});
  add({.queue = "small"}, "other");
  const Claimed job = start(w);
  cancel(job.id, "enough");
  finish(job, success_with({{.queue = "small"}}));
  BOOST_TEST(state(job.id) == State::cancelled);
  BOOST_TEST(info(job.id).error == "enough");
  BOOST_TEST(!info(job.id).cancel_requested);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
