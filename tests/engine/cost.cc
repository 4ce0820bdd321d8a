// Cost does not grow with the backlog. Instead of a clock there are tripwires: keys that cannot be decoded, put where a verb
// must not look. Nothing of that is committed.
#include "world.hpp"

#include <functional>

namespace tq::engine {
namespace {

struct Tripwires : World {
  const WorkerId w = worker();

  // Behind this key, before any other.
  template <class Key>
  static void put_wire(Ledger& ledger, const Key& key) {
    ledger.txn().put(Key::kTree, std::string(store::encode_key(key)) + '\0', {});
  }
  void put_ready_wire(Ledger& ledger, JobId behind) { put_wire(ledger, ready_key(behind, header(behind))); }

  // Runs the verbs in a transaction that is given up.
  void trial(const std::function<void(Ledger&)>& verbs) {
    store::WriteTransaction txn = environment->write();
    Ledger ledger(txn, clock.now(), retention);
    verbs(ledger);
  }
  std::string claimed(Ledger& ledger, std::size_t limit, std::vector<std::string> queues = {}) {
    return ids(engine::claim(ledger, {.worker = w, .queues = std::move(queues), .tasks = {"work"}, .limit = limit}));
  }
};

BOOST_FIXTURE_TEST_SUITE(cost, Tripwires)

BOOST_AUTO_TEST_CASE(a_claim_looks_at_one_job_more_than_it_takes) {
  add_many(10);
  trial([&](Ledger& ledger) {
    put_ready_wire(ledger, 4);
    BOOST_TEST(claimed(ledger, 3) == "1 2 3");
  });
  trial([&](Ledger& ledger) {
    put_ready_wire(ledger, 4);
    BOOST_CHECK_THROW(claimed(ledger, 4), Damaged);  // the wire works
  });
}

BOOST_AUTO_TEST_CASE(a_claim_does_not_look_through_the_jobs_of_other_tasks) {
  add_many(3, {.priority = 9}, "before");
  add_many(3);
  add_many(3, {.priority = 9}, "behind");
  add_many(3, {.queue = "other", .priority = 9}, "before");
  trial([&](Ledger& ledger) {
    for (const JobId first : {1u, 7u, 10u}) put_ready_wire(ledger, first);
    BOOST_TEST(claimed(ledger, 10) == "4 5 6");
    BOOST_TEST(claimed(ledger, 10).empty());
  });
}

BOOST_AUTO_TEST_CASE(a_claim_does_not_look_through_queues_that_were_not_named_or_are_paused) {
  add_many(3, {.queue = "a"});
  add_many(3, {.queue = "b"});
  add_many(3, {.queue = "c"});
  pause("c");
  trial([&](Ledger& ledger) {
    put_ready_wire(ledger, 1);
    put_ready_wire(ledger, 7);
    BOOST_TEST(claimed(ledger, 10, {"c", "b"}) == "4 5 6");
  });
}

BOOST_AUTO_TEST_CASE(adding_ending_and_steering_look_at_their_job_only) {
  add_many(3);
  add_many(3, {.delay = 1h, .expires_in = 2h});
  finish(start(w, {.priority = 1}), succeeded());        // 7
  finish(start(w, {.priority = 1}), failed_for_good());  // 8
  const Claimed job = start(w, {.priority = 1});         // 9
  const Claimed other = start(w, {.priority = 1});       // 10
  trial([&](Ledger& ledger) {
    for (const JobId id : {1u, 4u, 7u, 8u, 10u}) {
      put_wire(ledger, JobKey{id});
      for (const store::KeyBytes& key : IndexKeys(id, header(id))) {
        ledger.txn().put(Tree::index, std::string(key) + '\0', {});
      }
    }
    for (EventSeq seq = 1; seq < 20; ++seq) put_wire(ledger, EventKey{seq});
    Outcome outcome = succeeded("result");
    outcome.follow_ups.push_back(make());
    BOOST_TEST(engine::finish(ledger, key(job), std::move(outcome)));
    BOOST_TEST(engine::finish(ledger, key(other), failed()));
    BOOST_TEST((engine::cancel(ledger, 2, {}, 15) == CancelOutcome::cancelled));
    engine::retry(ledger, 8);
    engine::remove(ledger, 7);
    engine::change(ledger, 3, {.queue = "elsewhere", .priority = 5});
    engine::pause(ledger, "default");
    BOOST_TEST(engine::events(ledger.txn(), {.job = 9}).size() == 3u);
    BOOST_TEST(engine::job_info(ledger.txn(), 9).has_value());
    BOOST_TEST(engine::stats(ledger.txn()).enqueued != 0u);
    ledger.close();
  });
}

BOOST_AUTO_TEST_CASE(what_is_due_is_found_without_looking_at_what_is_not) {
  add_many(3, {.delay = 1s});
  add_many(3, {.delay = 1h, .expires_in = 2h});
  clock.advance(1s);
  trial([&](Ledger& ledger) {
    put_wire(ledger, DueKey{header(4).due_ms, 4});
    put_wire(ledger, ExpiryKey{header(4).expires_ms, 4});
    BOOST_TEST(engine::fire_due(ledger, 100) == 3u);
    BOOST_TEST((next_due(ledger.txn()) == kStart + 1h));
  });
}

BOOST_AUTO_TEST_CASE(what_is_kept_long_enough_is_found_without_looking_at_the_rest) {
  retention = {.succeeded = 1s, .failed = 1h, .events = 1s};
  finish(start(w), succeeded());
  clock.advance(500ms);
  finish(start(w), failed_for_good());
  finish(start(w), failed_for_good());
  const EventSeq newest = stats().last_event;
  clock.advance(600ms);
  trial([&](Ledger& ledger) {
    put_wire(ledger, KeepKey{header(2).keep_until_ms, 2});
    put_wire(ledger, EventKey{newest - 1});
    BOOST_TEST(engine::collect(ledger, 100).jobs == 1u);
    BOOST_TEST((next_keep(ledger.txn()) == kStart + 500ms + 1h));
  });
}

BOOST_AUTO_TEST_CASE(a_rescue_looks_at_the_jobs_of_the_dead_only) {
  add_many(6);
  claim(w, 2);
  const WorkerId next = worker();
  claim(next, 3);
  trial([&](Ledger& ledger) {
    put_wire(ledger, ActiveKey{next, 3});
    put_ready_wire(ledger, 6);
    BOOST_TEST(engine::rescue(ledger, w, "it died", [](JobId) { return true; }) == 2u);
  });
}

BOOST_AUTO_TEST_CASE(a_list_looks_at_as_many_jobs_as_it_gives) {
  add_many(10);
  trial([&](Ledger& ledger) {
    put_wire(ledger, JobKey{6});
    BOOST_TEST(ids(engine::list(ledger.txn(), {.limit = 3})) == "10 9 8");
    BOOST_TEST(ids(engine::list(ledger.txn(), {.before = 6, .limit = 3})) == "5 4 3");
    BOOST_CHECK_THROW(engine::list(ledger.txn(), {.limit = 5}), Damaged);
  });
}

BOOST_AUTO_TEST_CASE(a_list_of_a_rare_state_looks_at_the_jobs_in_that_state_only) {
  add_many(10);
  finish(start(w, {.priority = 1}), failed_for_good());
  add_many(10);
  trial([&](Ledger& ledger) {
    put_wire(ledger, JobKey{5});
    put_wire(ledger, JobKey{15});
    put_ready_wire(ledger, 1);
    BOOST_TEST(ids(engine::list(ledger.txn(), {.states = {State::failed}})) == "11");
    BOOST_TEST(engine::list(ledger.txn(), {.states = {State::running, State::retrying}}).empty());
  });
}

BOOST_AUTO_TEST_CASE(events_are_read_from_where_the_reader_is) {
  add_many(10);
  trial([&](Ledger& ledger) {
    put_wire(ledger, EventKey{5});
    put_wire(ledger, EventKey{9});
    BOOST_TEST(types(engine::events(ledger.txn(), {.after = 5, .limit = 2})) == "enqueued enqueued");
  });
}

BOOST_AUTO_TEST_CASE(output_is_read_from_where_the_reader_is) {
  const Claimed job = start(w);
  const Claimed next = start(w);
  for (int i = 0; i < 10; ++i) write(job, "x");
  write(next, "y");
  trial([&](Ledger& ledger) {
    put_wire(ledger, LogKey{job.id, 5});
    put_wire(ledger, LogKey{next.id, 1});
    BOOST_TEST(engine::output(ledger.txn(), header(job.id), job.id, 5, 1).size() == 1u);
    BOOST_TEST(engine::output(ledger.txn(), header(job.id), job.id, 6, 1000).size() == 4u);
    const std::vector<Piece> pieces{{clock.now(), Stream::out, "z"}};
    BOOST_TEST(append_output(ledger, key(job), pieces, 0, 1000));
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
