// Jobs that a worker claims ahead, for a slot that is still busy.
#include "world.hpp"

namespace tq::engine {
namespace {

struct Ahead : World {
  const WorkerId w = worker();

  std::vector<Claimed> claim_ahead(WorkerId worker, std::size_t limit, std::size_t ahead) {
    return claim({.worker = worker, .tasks = {"work"}, .limit = limit, .ahead = ahead});
  }
  // The one job that there is.
  Claimed claim_one_ahead(WorkerId worker) {
    std::vector<Claimed> claimed = claim_ahead(worker, 0, 1);
    BOOST_TEST_REQUIRE(claimed.size() == 1u);
    return std::move(claimed.front());
  }
  bool begin(const Claimed& job) {
    return change([&](Ledger& ledger) { return engine::begin(ledger, key(job), clock.now()); });
  }
};

BOOST_FIXTURE_TEST_SUITE(ahead, Ahead)

BOOST_AUTO_TEST_CASE(a_prefetched_job_is_not_counted_as_started) {
  const JobId id = add();
  const Claimed job = claim_one_ahead(w);
  BOOST_TEST(state(id) == State::running);
  BOOST_TEST(info(id).attempt == 0u);
  BOOST_TEST(!info(id).started.has_value());
  BOOST_TEST(history(id) == "enqueued");
  BOOST_TEST(stats().attempts == 0u);
  BOOST_TEST(ids(jobs_of(read(), w)) == "1");
  BOOST_TEST(claim(worker(), 10).empty());
  clock.advance(1s);
  BOOST_TEST(begin(job));
  BOOST_TEST(info(id).attempt == 1u);
  BOOST_TEST((info(id).started == kStart + 1s));
  BOOST_TEST(history(id) == "enqueued started");
  BOOST_TEST(events({.types = {EventType::started}}).at(0).attempt == 1u);
  BOOST_TEST(stats().attempts == 1u);
  BOOST_TEST(!begin(job));
  BOOST_TEST(!changed);
  BOOST_TEST(finish(job, succeeded()));
}

BOOST_AUTO_TEST_CASE(what_is_claimed_ahead_comes_behind_what_begins_at_once) {
  add_many(5);
  const std::vector<Claimed> claimed = claim_ahead(w, 2, 2);
  BOOST_TEST(ids(claimed) == "1 2 3 4");
  for (const Claimed& job : claimed) BOOST_TEST(job.record.header.has(model::kAhead) == (job.id > 2));
}

BOOST_AUTO_TEST_CASE(no_more_is_claimed_ahead_than_a_fair_share_of_what_is_ready) {
  worker();
  worker();
  add_many(8);
  BOOST_TEST(ids(claim_ahead(w, 2, 100)) == "1 2 3 4");  // of the six that are left, a third
  BOOST_TEST(ids(claim_ahead(w, 0, 100)) == "5");
  BOOST_TEST(ids(claim_ahead(w, 0, 100)) == "6");
  BOOST_TEST(claim_ahead(w, 0, 100).empty());
  BOOST_TEST(claim_ahead(w, 2, 100).size() == 2u);
}

BOOST_AUTO_TEST_CASE(what_is_given_back_is_as_if_it_had_never_been_claimed) {
  add_many(2);
  const Claimed job = claim_one_ahead(w);
  BOOST_TEST(finish(job, interrupted()));
  BOOST_TEST(state(1) == State::ready);
  BOOST_TEST(info(1).attempt == 0u);
  BOOST_TEST(history(1) == "enqueued");
  BOOST_TEST(touched.queues.size() == 1u);
  BOOST_TEST(!finish(job, succeeded()));
  BOOST_TEST(ids(claim(w, 10)) == "1 2");
}

BOOST_AUTO_TEST_CASE(a_job_that_ends_before_its_begin_was_told_has_begun) {
  add();
  BOOST_TEST(finish(claim_one_ahead(w), succeeded("done")));
  BOOST_TEST(history(1) == "enqueued started succeeded");
  BOOST_TEST(info(1).attempt == 1u);
  add({.max_retries = 0});
  finish(claim_one_ahead(w), failed());
  BOOST_TEST(state(2) == State::failed);
  add({.max_retries = 0});
  finish(claim_one_ahead(w), snoozed());
  BOOST_TEST(history(3) == "enqueued started snoozed");
  BOOST_TEST(info(3).attempt == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_dead_worker_had_only_claimed_ahead_is_blameless) {
  add_many(4);
  BOOST_TEST(ids(claim_ahead(w, 1, 3)) == "1 2 3 4");
  BOOST_TEST(rescue(w, "it died", {2}) == 4u);
  for (const JobId id : {1u, 2u, 3u, 4u}) {
    BOOST_TEST(state(id) == State::ready);
    BOOST_TEST(info(id).attempt == 0u);
    BOOST_TEST(info(id).crashes == (id <= 2 ? 1u : 0u));
  }
  BOOST_TEST(history(2) == "enqueued started crashed");
  BOOST_TEST(history(3) == "enqueued");
  BOOST_TEST(stats().attempts == 2u);
}

BOOST_AUTO_TEST_CASE(a_crash_of_a_job_whose_begin_was_not_told_counts_one_attempt) {
  add();
  const Claimed job = claim_one_ahead(w);
  change([&](Ledger& ledger) {
    std::optional<Job> held = load_running(ledger, key(job));
    crash(ledger, held.value(), 3, "its guard died");
  });
  BOOST_TEST(info(1).attempt == 0u);
  BOOST_TEST(info(1).crashes == 1u);
  BOOST_TEST(history(1) == "enqueued started crashed");
}

BOOST_AUTO_TEST_CASE(a_worker_that_leaves_gives_back_what_it_claimed_ahead) {
  add_many(2);
  claim_ahead(w, 1, 1);
  change([&](Ledger& ledger) { unregister_worker(ledger, w); });
  BOOST_TEST(history(1) == "enqueued started interrupted");
  BOOST_TEST(history(2) == "enqueued");
  BOOST_TEST(ids(claim(worker(), 10)) == "1 2");
}

BOOST_AUTO_TEST_CASE(a_job_that_is_cancelled_before_it_begins_never_does) {
  add();
  const Claimed job = claim_one_ahead(w);
  BOOST_TEST(cancel(1, "enough") == CancelOutcome::requested);
  BOOST_TEST(finish(job, interrupted()));
  BOOST_TEST(state(1) == State::cancelled);
  BOOST_TEST(info(1).error == "enough");
  BOOST_TEST(history(1) == "enqueued cancel_requested cancelled");
  add();
  claim_one_ahead(w);
  cancel(2, "enough");
  rescue(w);
  BOOST_TEST(state(2) == State::cancelled);
  BOOST_TEST(info(2).crashes == 0u);
}

BOOST_AUTO_TEST_CASE(the_signal_for_what_is_claimed_ahead_is_not_the_exit_code_of_its_last_attempt) {
  const Claimed job = start(w, {.backoff = {.base = 0ms, .jitter = 0}});
  Outcome outcome = failed();
  outcome.exit_code = 3;
  finish(job, std::move(outcome));
  fire_due();
  claim_one_ahead(w);
  cancel(job.id, "enough", 2);
  BOOST_TEST(!info(job.id).exit_code.has_value());
  rescue(w);
  BOOST_TEST(state(job.id) == State::cancelled);
  BOOST_TEST(!info(job.id).exit_code.has_value());
}

BOOST_AUTO_TEST_CASE(a_job_with_a_deadline_to_start_is_not_claimed_ahead) {
  add();
  add({.expires_in = 10s});
  add();
  BOOST_TEST(ids(claim_ahead(w, 0, 10)) == "1");
  BOOST_TEST(claim_ahead(w, 0, 10).empty());
  clock.advance(10s);
  BOOST_TEST(ids(claim_ahead(w, 0, 10)) == "3");  // it has passed
  BOOST_TEST(state(2) == State::expired);
  add({.expires_in = 10s});
  BOOST_TEST(ids(claim_ahead(w, 1, 10)) == "4");
}

BOOST_AUTO_TEST_CASE(a_job_with_a_deadline_that_has_begun_once_may_be_claimed_ahead) {
  finish(start(w, {.expires_in = 10s}), interrupted());
  claim_one_ahead(w);
  clock.advance(1h);
  BOOST_TEST(fire_due() == 0u);
  rescue(w);
  BOOST_TEST(fire_due() == 0u);
  BOOST_TEST(state(1) == State::ready);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
