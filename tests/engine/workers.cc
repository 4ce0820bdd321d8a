#include "engine/workers.hpp"

#include "world.hpp"

namespace tq::engine {
namespace {

BOOST_FIXTURE_TEST_SUITE(workers, World)

BOOST_AUTO_TEST_CASE(a_registered_worker_is_known_until_it_leaves) {
  model::WorkerRecord record;
  record.pid = 77;
  record.host = "here";
  record.concurrency = 3;
  record.queues = {"a", "b"};
  const WorkerId w = worker(record);
  BOOST_TEST(touched.workers);
  const std::vector<KnownWorker> known = known_workers(read());
  BOOST_TEST_REQUIRE(known.size() == 1u);
  BOOST_TEST(known[0].id == w);
  BOOST_TEST((known[0].record == record));
  const WorkerInfo info = worker_info(w, record);
  BOOST_TEST(info.pid == 77);
  BOOST_TEST(info.host == "here");
  BOOST_TEST(info.concurrency == 3u);
  BOOST_TEST((info.queues == record.queues));
  change([&](Ledger& ledger) { unregister_worker(ledger, w); });
  BOOST_TEST(touched.workers);
  BOOST_TEST(known_workers(read()).empty());
  BOOST_TEST(types(events()) == "worker_started worker_stopped");
  BOOST_TEST(worker() == w + 1);  // a number is never used again
}

BOOST_AUTO_TEST_CASE(a_worker_that_is_not_registered_cannot_be_updated_or_leave) {
  BOOST_TEST(!change([&](Ledger& ledger) { return update_worker(ledger, 5, {}); }));
  BOOST_TEST(!changed);
  change([&](Ledger& ledger) { unregister_worker(ledger, 5); });
  BOOST_TEST(!changed);
  BOOST_TEST(rescue(5) == 0u);
  BOOST_TEST(!changed);
}

BOOST_AUTO_TEST_CASE(an_updated_record_is_kept) {
  const WorkerId w = worker();
  model::WorkerRecord record;
  record.stopping = true;
  BOOST_TEST(change([&](Ledger& ledger) { return update_worker(ledger, w, record); }));
  BOOST_TEST(changed);
  BOOST_TEST(touched.workers);
  BOOST_TEST(known_workers(read()).at(0).record.stopping);
}

BOOST_AUTO_TEST_CASE(a_worker_that_leaves_gives_back_what_it_holds_at_no_cost) {
  const WorkerId w = worker();
  add_many(3);
  add({}, "other");
  claim(w, 2);
  change([&](Ledger& ledger) { unregister_worker(ledger, w); });
  for (const JobId id : {1u, 2u}) {
    BOOST_TEST(state(id) == State::ready);
    BOOST_TEST(info(id).attempt == 0u);
    BOOST_TEST(history(id) == "enqueued started interrupted");
  }
  BOOST_TEST(ids(claim(worker(), 10)) == "1 2 3");
}

BOOST_AUTO_TEST_CASE(a_job_whose_worker_died_is_ready_at_its_old_place_without_having_used_an_attempt) {
  const WorkerId w = worker();
  const Claimed job = start(w, {.max_retries = 0});
  clock.advance(1s);
  add();
  BOOST_TEST(rescue(w, "worker 1 (pid 77) was killed by SIGSEGV") == 1u);
  const JobInfo now = info(job.id);
  BOOST_TEST(now.state == State::ready);
  BOOST_TEST(now.attempt == 0u);
  BOOST_TEST(now.crashes == 1u);
  BOOST_TEST(now.error == "worker 1 (pid 77) was killed by SIGSEGV");
  BOOST_TEST(history(job.id) == "enqueued started crashed");
  BOOST_TEST(touched.queues.size() == 1u);
  BOOST_TEST(ids(claim(worker(), 10)) == "1 2");
  BOOST_TEST(stats().crashes == 1u);
}

BOOST_AUTO_TEST_CASE(the_dead_are_rescued_once) {
  const WorkerId w = worker();
  start(w);
  BOOST_TEST(rescue(w) == 1u);
  BOOST_TEST(rescue(w) == 0u);
  BOOST_TEST(!changed);
  BOOST_TEST(info(1).crashes == 1u);
  BOOST_TEST(types(events({.types = {EventType::worker_died}})) == "worker_died");
}

BOOST_AUTO_TEST_CASE(only_the_jobs_of_the_dead_are_rescued) {
  const WorkerId a = worker();
  const WorkerId b = worker();
  add_many(4);
  claim(a, 2);
  claim(b, 2);
  BOOST_TEST(rescue(a) == 2u);
  BOOST_TEST(ids(jobs_of(read(), b)) == "3 4");
  BOOST_TEST(state(3) == State::running);
  BOOST_TEST(info(3).crashes == 0u);
}

BOOST_AUTO_TEST_CASE(a_job_that_kills_its_worker_each_time_is_failed_after_max_crashes_with_the_cause) {
  add({.max_retries = 0});
  for (int death = 1; death <= 3; ++death) {
    const WorkerId w = worker(3);
    claim_one(w);
    rescue(w, "it was killed by SIGSEGV");
    BOOST_TEST(state(1) == (death < 3 ? State::ready : State::failed));
  }
  BOOST_TEST(info(1).crashes == 3u);
  BOOST_TEST(result(1)->error.find("SIGSEGV") != std::string::npos);
  BOOST_TEST(history(1) == "enqueued started crashed started crashed started failed");
  BOOST_TEST(stats().crashes == 3u);
  BOOST_TEST(stats().failed == 1u);
}

BOOST_AUTO_TEST_CASE(crashes_are_counted_apart_from_attempts) {
  const JobId id = add({.max_retries = 1, .backoff = {.base = 1s, .jitter = 0}});
  finish(claim_one(worker()), failed());
  for (int death = 0; death < 5; ++death) {
    clock.advance(1s);
    fire_due();
    const WorkerId w = worker(10);
    BOOST_TEST(claim_one(w).record.header.attempt == 2u);
    rescue(w);
  }
  finish(claim_one(worker()), failed());
  BOOST_TEST(state(id) == State::failed);
  BOOST_TEST(info(id).error == "boom");
}

BOOST_AUTO_TEST_CASE(a_cause_that_is_too_long_is_cut) {
  const WorkerId w = worker();
  start(w);
  rescue(w, std::string(100'000, 'c'));
  BOOST_TEST(info(1).error.size() <= kMaxErrorBytes);
  for (const Event& event : events()) BOOST_TEST(event.text.size() <= kMaxErrorBytes);
}

BOOST_AUTO_TEST_CASE(a_job_that_was_to_be_cancelled_when_its_worker_died_is_cancelled) {
  const WorkerId w = worker();
  start(w);
  cancel(1, "enough");
  rescue(w);
  BOOST_TEST(state(1) == State::cancelled);
  BOOST_TEST(info(1).error == "enough");
  BOOST_TEST(info(1).crashes == 1u);
  BOOST_TEST(!info(1).exit_code.has_value());
}

BOOST_AUTO_TEST_CASE(a_long_healthy_job_is_never_run_twice) {
  const WorkerId w = worker();
  const Claimed job = start(w, {.expires_in = 1s});
  clock.advance(24h * 365);
  fire_due();
  collect();
  BOOST_TEST(claim(worker(), 10).empty());
  BOOST_TEST(state(job.id) == State::running);
  BOOST_TEST(finish(job, succeeded()));
}

BOOST_AUTO_TEST_CASE(after_a_death_the_backlog_is_not_rerun) {
  const WorkerId a = worker();
  add_many(10);
  for (const Claimed& job : claim(a, 5)) {
    if (job.id != 5) finish(job, succeeded());
  }
  rescue(a);
  BOOST_TEST(ids(claim(worker(), 100)) == "5 6 7 8 9 10");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
