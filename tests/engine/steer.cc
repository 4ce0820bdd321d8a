#include "engine/steer.hpp"

#include "world.hpp"

#include <limits>

namespace tq::engine {
namespace {

struct Steering : World {
  const WorkerId w = worker();

  // A job in any state that can be had. Each is claimed before the ones made earlier.
  JobId job_in(State state) {
    const JobId id = add({.priority = ++priority_, .delay = state == State::scheduled ? 1h : 0h, .expires_in = 24h});
    if (state == State::scheduled || state == State::ready) return id;
    if (state == State::cancelled) {
      cancel(id);
      return id;
    }
    if (state == State::expired) {
      clock.advance(24h);
      fire_due();
      return id;
    }
    const Claimed job = claim_one(w);
    if (state == State::retrying) finish(job, failed());
    if (state == State::succeeded) finish(job, succeeded("bytes"));
    if (state == State::failed) finish(job, failed_for_good());
    BOOST_TEST_REQUIRE(this->state(id) == state);
    return id;
  }

 private:
  std::int32_t priority_ = 0;
};

constexpr State kStates[] = {State::scheduled, State::ready,  State::running,   State::retrying,
                             State::succeeded, State::failed, State::cancelled, State::expired};

BOOST_FIXTURE_TEST_SUITE(steer, Steering)

// --- cancel ---

BOOST_AUTO_TEST_CASE(a_waiting_job_is_cancelled_and_never_runs) {
  for (const State state : {State::scheduled, State::ready, State::retrying}) {
    const JobId id = job_in(state);
    BOOST_TEST(cancel(id, "enough") == CancelOutcome::cancelled);
    BOOST_TEST(touched.finals);
    BOOST_TEST(this->state(id) == State::cancelled);
    BOOST_TEST(result(id)->error == "enough");
    BOOST_TEST(history(id).ends_with("cancelled"));
    BOOST_TEST((info(id).finished == clock.now()));
  }
  clock.advance(24h);
  fire_due();
  BOOST_TEST(claim(w, 10).empty());
  BOOST_TEST(stats().cancelled == 3u);
}

BOOST_AUTO_TEST_CASE(a_running_job_is_asked_to_stop) {
  const JobId id = job_in(State::running);
  BOOST_TEST(!cancel_request(header(id)).has_value());
  BOOST_TEST(cancel(id, "enough", 2) == CancelOutcome::requested);
  BOOST_TEST(touched.workers);
  BOOST_TEST(state(id) == State::running);
  BOOST_TEST(info(id).cancel_requested);
  BOOST_TEST(!info(id).exit_code.has_value());
  BOOST_TEST(cancel_request(header(id)).value().signal == 2);
  BOOST_TEST(cancel(id, "now", 9) == CancelOutcome::requested);
  BOOST_TEST(cancel_request(header(id)).value().signal == 9);
  BOOST_TEST(history(id) == "enqueued started cancel_requested cancel_requested");
}

BOOST_AUTO_TEST_CASE(what_is_final_or_unknown_is_not_cancelled) {
  for (const State state : {State::succeeded, State::failed, State::cancelled, State::expired}) {
    const JobId id = job_in(state);
    BOOST_TEST(cancel(id, "late") == CancelOutcome::already_final);
    BOOST_TEST(!changed);
    BOOST_TEST(this->state(id) == state);
  }
  BOOST_TEST(cancel(999) == CancelOutcome::no_such_job);
  BOOST_TEST(!changed);
}

BOOST_AUTO_TEST_CASE(an_attempt_that_was_asked_to_stop_ends_as_a_cancel_unless_it_succeeds) {
  for (const auto kind : {Outcome::Kind::failed, Outcome::Kind::cancelled, Outcome::Kind::snoozed,
                          Outcome::Kind::interrupted, Outcome::Kind::succeeded}) {
    const Claimed job = start(w);
    cancel(job.id, "enough");
    finish(job, {.kind = kind, .error = kind == Outcome::Kind::cancelled ? "enough" : "boom", .exit_code = 143});
    const bool succeeded = kind == Outcome::Kind::succeeded;
    BOOST_TEST(state(job.id) == (succeeded ? State::succeeded : State::cancelled));
    BOOST_TEST(info(job.id).error == (succeeded ? "" : "enough"));
    BOOST_TEST(info(job.id).exit_code.value() == 143);
    BOOST_TEST(!info(job.id).cancel_requested);
  }
  BOOST_TEST(stats().cancelled == 4u);
}

BOOST_AUTO_TEST_CASE(a_worker_that_leaves_cancels_what_was_asked_to_stop) {
  const JobId id = job_in(State::running);
  cancel(id, "enough");
  change([&](Ledger& ledger) { unregister_worker(ledger, w); });
  BOOST_TEST(state(id) == State::cancelled);
  BOOST_TEST(info(id).error == "enough");
}

BOOST_AUTO_TEST_CASE(a_request_to_stop_is_over_with_its_attempt) {
  const JobId id = job_in(State::running);
  cancel(id, "enough", 9);
  finish({id, {header(id)}, {}, {}}, failed());
  retry(id);
  claim_one(w);
  BOOST_TEST(!cancel_request(header(id)).has_value());
  BOOST_TEST(!info(id).cancel_requested);
}

// --- retry ---

BOOST_AUTO_TEST_CASE(a_final_job_starts_anew_under_its_id) {
  for (const State state : {State::succeeded, State::failed, State::cancelled, State::expired}) {
    const JobId id = job_in(state);
    clock.advance(1h);
    retry(id);
    const JobInfo now = info(id);
    BOOST_TEST(now.state == State::ready);
    BOOST_TEST(now.attempt == 0u);
    BOOST_TEST(now.crashes == 0u);
    BOOST_TEST(now.error.empty());
    BOOST_TEST(now.result_bytes == 0u);
    BOOST_TEST(!now.exit_code.has_value());
    BOOST_TEST(!now.finished.has_value());
    BOOST_TEST(!now.expires.has_value());
    BOOST_TEST((now.due == clock.now()));
    BOOST_TEST(!result(id).has_value());
    BOOST_TEST(history(id).ends_with("retried"));
    finish(claim_one(w), succeeded("again"));
    BOOST_TEST(result(id)->value.bytes == "again");
  }
}

BOOST_AUTO_TEST_CASE(a_final_job_that_starts_anew_has_all_its_attempts) {
  const JobId id = add({.max_retries = 1, .backoff = {.base = 1s, .jitter = 0}});
  for (int round = 0; round < 2; ++round) {
    finish(claim_one(w), failed());
    clock.advance(1s);
    fire_due();
    finish(claim_one(w), failed());
    BOOST_TEST(state(id) == State::failed);
    retry(id);
  }
  BOOST_TEST(stats().failed == 2u);
}

BOOST_AUTO_TEST_CASE(a_large_result_is_gone_when_its_job_starts_anew) {
  const Claimed job = start(w);
  Outcome outcome = succeeded();
  outcome.result_blob.emplace(*environment, std::string(50'000, 'r'));
  finish(job, std::move(outcome));
  retry(job.id);
  BOOST_TEST(info(job.id).result_bytes == 0u);
  BOOST_TEST(!header(job.id).has(model::kResultIsBlob));
  finish(claim_one(w), succeeded("small"));
  BOOST_TEST(result(job.id)->value.bytes == "small");
}

BOOST_AUTO_TEST_CASE(a_job_that_waits_for_its_time_or_next_attempt_becomes_ready_now) {
  const JobId scheduled = job_in(State::scheduled);
  const JobId retrying = job_in(State::retrying);
  clock.advance(1ms);
  retry(scheduled);
  retry(retrying);
  BOOST_TEST((info(scheduled).due == clock.now()));
  BOOST_TEST(info(scheduled).expires.has_value());
  BOOST_TEST(info(retrying).attempt == 1u);
  BOOST_TEST(info(retrying).error == "boom");
  BOOST_TEST(touched.queues.size() == 1u);
  BOOST_TEST(claim(w, 10).size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_job_that_runs_or_is_ready_cannot_be_retried) {
  BOOST_CHECK_THROW(retry(job_in(State::running)), Conflict);
  BOOST_CHECK_THROW(retry(job_in(State::ready)), Conflict);
  BOOST_CHECK_THROW(retry(999), NotFound);
}

BOOST_AUTO_TEST_CASE(a_job_that_waits_for_others_cannot_be_made_ready_by_hand) {
  NewJob job = make();
  job.draft.header.state = State::blocked;
  const JobId id = change([&](Ledger& ledger) { return enqueue(ledger, std::move(job)); });
  BOOST_CHECK_THROW(retry(id), Conflict);
  set(id, {.priority = 1, .at = kStart});
  BOOST_TEST(state(id) == State::blocked);
  BOOST_TEST(cancel(id) == CancelOutcome::cancelled);
}

BOOST_AUTO_TEST_CASE(a_late_completion_does_not_touch_a_job_that_was_sent_round_again) {
  const Claimed job = start(w);
  finish(job, failed_for_good());
  retry(job.id);
  BOOST_TEST(!finish(job, succeeded("late")));
  claim_one(w);
  BOOST_TEST(!finish(job, succeeded("late")));
  BOOST_TEST(state(job.id) == State::running);
}

// --- remove ---

BOOST_AUTO_TEST_CASE(only_a_final_job_can_be_removed) {
  for (const State state : kStates) {
    const JobId id = job_in(state);
    if (is_final(state)) {
      remove(id);
      BOOST_TEST(!exists(id));
      BOOST_CHECK_THROW(remove(id), NotFound);
      BOOST_CHECK_THROW(result(id), NotFound);
    } else {
      BOOST_CHECK_THROW(remove(id), Conflict);
      BOOST_TEST(this->state(id) == state);
    }
  }
}

BOOST_AUTO_TEST_CASE(deleting_a_job_deletes_its_result_logs_and_index_entries) {
  const Claimed job = start(w, {}, std::string(20'000, 'p'));
  write(job, "output");
  change([&](Ledger& ledger) { save_state(ledger, key(job), {*environment, "saved"}); });
  Outcome outcome = succeeded();
  outcome.result_blob.emplace(*environment, std::string(50'000, 'r'));
  finish(job, std::move(outcome));
  remove(job.id);
  BOOST_TEST(!saved_state(read(), job.id).has_value());
  BOOST_TEST(!store::get_blob(read(), job.id, store::BlobKind::payload).has_value());
  BOOST_TEST(!store::get_blob(read(), job.id, store::BlobKind::result).has_value());
  BOOST_TEST(engine::output(read(), {}, job.id, 0, 1 << 20).empty());
  BOOST_TEST(list({.states = {State::succeeded}}).empty());
  BOOST_TEST(touched.finals);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
