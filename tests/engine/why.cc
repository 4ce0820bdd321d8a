#include "world.hpp"

namespace tq::engine {
namespace {

struct Why : World {
  // The text of the one reason there is.
  std::string reason(JobId id) {
    const std::vector<Reason> reasons = engine::why(read(), id, clock.now(), [](WorkerId) { return true; });
    BOOST_TEST_REQUIRE(reasons.size() == 1u);
    return reasons[0].text;
  }
};

BOOST_FIXTURE_TEST_SUITE(why_, Why)

BOOST_AUTO_TEST_CASE(a_job_that_is_about_to_start_has_no_reason_not_to) {
  worker();
  BOOST_TEST(why(add()).empty());
}

BOOST_AUTO_TEST_CASE(a_job_that_is_over_says_when) {
  const WorkerId w = worker();
  finish(start(w), succeeded());
  BOOST_TEST(why(1) == "final");
  BOOST_TEST(reason(1) == "it is over: succeeded at 2026-01-01T00:00:00.000Z");
}

BOOST_AUTO_TEST_CASE(a_running_job_says_where) {
  const WorkerId w = worker();
  start(w);
  BOOST_TEST(why(1) == "running");
  BOOST_TEST(reason(1) == "it is running: attempt 1 on worker 1");
}

BOOST_AUTO_TEST_CASE(a_job_that_was_claimed_ahead_says_whom_it_waits_for) {
  const WorkerId w = worker();
  add();
  claim({.worker = w, .tasks = {"work"}, .limit = 0, .ahead = 1});
  BOOST_TEST(why(1) == "slots");
  BOOST_TEST(reason(1) == "worker 1 has claimed it and begins it when it has a free slot");
}

BOOST_AUTO_TEST_CASE(a_job_for_later_says_until_when) {
  const WorkerId w = worker();
  add({.delay = 90s});
  BOOST_TEST(why(1) == "time");
  BOOST_TEST(reason(1) == "it waits until 2026-01-01T00:01:30.000Z, in 1m30s");
  clock.advance(2min);
  BOOST_TEST(reason(1) == "it waits until 2026-01-01T00:01:30.000Z, in 0s");  // nobody has made it ready yet
  finish(start(w, {.backoff = {.base = 10s, .jitter = 0}}), failed());
  BOOST_TEST(reason(2) == "it failed and waits until 2026-01-01T00:02:10.000Z, in 10s");
}

BOOST_AUTO_TEST_CASE(a_job_of_a_paused_queue_says_so) {
  worker();
  pause("q");
  add({.queue = "q"});
  BOOST_TEST(why(1) == "paused");
  BOOST_TEST(reason(1) == "queue 'q' is paused");
}

BOOST_AUTO_TEST_CASE(a_job_behind_others_counts_them) {
  worker();
  add_many(3);
  BOOST_TEST(why(1).empty());
  BOOST_TEST(why(3) == "behind");
  BOOST_TEST(reason(3) == "2 jobs of queue 'default' come before it");
  add_many(2000, {.priority = 1});
  BOOST_TEST(reason(3) == "1000 or more jobs of queue 'default' come before it");
}

BOOST_AUTO_TEST_CASE(a_job_that_nobody_would_run_says_so) {
  add();
  BOOST_TEST(why(1) == "no_worker");
  BOOST_TEST(reason(1) == "no worker is running for task 'work' of queue 'default'");
  model::WorkerRecord other;
  other.concurrency = 1;
  other.tasks = {"other"};
  worker(other);
  other.tasks = {"work"};
  other.queues = {"elsewhere"};
  worker(other);
  other.queues = {};
  other.stopping = true;
  worker(other);
  BOOST_TEST(why(1) == "no_worker");
  const WorkerId w = worker();
  BOOST_TEST(why(1).empty());
  BOOST_TEST(why(1, {w}) == "no_worker");
  other = {.concurrency = 1, .queues = {"default"}, .tasks = {"work"}};
  worker(other);
  BOOST_TEST(why(1, {w}).empty());
}

BOOST_AUTO_TEST_CASE(a_job_whose_workers_are_busy_says_so) {
  const WorkerId w = worker();
  add_many(4);
  claim(w, 4);
  add();
  BOOST_TEST(why(5) == "slots");
  BOOST_TEST(reason(5) == "all 4 slots of 1 worker(s) are busy");
}

BOOST_AUTO_TEST_CASE(all_reasons_are_given) {
  pause("q");
  add({.queue = "q", .delay = 1h});
  BOOST_TEST(why(1) == "time paused no_worker");
  add({.queue = "q"});
  add({.queue = "q"});
  BOOST_TEST(why(3) == "paused behind no_worker");
  BOOST_CHECK_THROW(why(9), NotFound);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
