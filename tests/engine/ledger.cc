#include "engine/ledger.hpp"

#include "world.hpp"

namespace tq::engine {
namespace {

BOOST_FIXTURE_TEST_SUITE(ledger_, World)

BOOST_AUTO_TEST_CASE(a_look_changes_nothing) {
  add();
  change([&](Ledger& ledger) {
    BOOST_TEST(ledger.load(1).has_value());
    BOOST_TEST(!ledger.load(2).has_value());
    BOOST_TEST(ledger.find_queue("default").has_value());
    BOOST_TEST(!ledger.find_queue("other").has_value());
    ledger.queue(*ledger.find_queue("default"));
  });
  BOOST_TEST(!changed);
}

BOOST_AUTO_TEST_CASE(a_thousand_jobs_in_one_transaction_are_counted_one_by_one) {
  add_many(1000);
  BOOST_TEST(queue()[State::ready] == 1000u);
  BOOST_TEST(stats().enqueued == 1000u);
  BOOST_TEST(stats().last_event == 1001u);
}

BOOST_AUTO_TEST_CASE(several_verbs_share_a_transaction) {
  const WorkerId w = worker();
  change([&](Ledger& ledger) {
    enqueue(ledger, make());
    enqueue(ledger, make({.queue = "b"}));
    const std::vector<Claimed> claimed = engine::claim(ledger, {.worker = w, .tasks = {"work"}, .limit = 2});
    BOOST_TEST(ids(claimed) == "1 2");
    BOOST_TEST(engine::finish(ledger, key(claimed[0]), succeeded()));
    engine::remove(ledger, 1);
    engine::cancel(ledger, 2, {}, 15);
    enqueue(ledger, make());
  });
  BOOST_TEST(!exists(1));
  BOOST_TEST(info(2).cancel_requested);
  BOOST_TEST(queue()[State::ready] == 1u);
  BOOST_TEST(queue("b")[State::running] == 1u);
}

BOOST_AUTO_TEST_CASE(closing_twice_writes_the_newest_counters) {
  change([&](Ledger& ledger) {
    enqueue(ledger, make());
    ledger.close();
    enqueue(ledger, make());
    ledger.close();
  });
  BOOST_TEST(queue()[State::ready] == 2u);
  BOOST_TEST(stats().enqueued == 2u);
}

BOOST_AUTO_TEST_CASE(a_queue_that_was_only_looked_at_is_not_written) {
  add({.queue = "a"});
  add({.queue = "b"});
  store::WriteTransaction txn = environment->write();
  Ledger ledger(txn, clock.now());
  const std::uint32_t a = *ledger.find_queue("a");
  const std::uint32_t b = *ledger.find_queue("b");
  ledger.queue(a);
  ledger.queue(b).max_size = 5;
  store::put(txn, QueueKey{a}, "untouched");
  ledger.close();
  BOOST_TEST((store::get(txn, QueueKey{a}) == "untouched"));
  BOOST_TEST(queue_record(txn, b).max_size == 5u);
}

BOOST_AUTO_TEST_CASE(what_is_not_committed_did_not_happen) {
  add();
  {
    store::WriteTransaction txn = environment->write();
    Ledger ledger(txn, clock.now());
    enqueue(ledger, make({.queue = "b"}, "other"));
    engine::cancel(ledger, 1, {}, 15);
    ledger.close();
  }
  BOOST_TEST(state(1) == State::ready);
  BOOST_TEST(!exists(2));
  BOOST_TEST(stats().queues == 1u);
  BOOST_TEST(add() == 2u);
}

BOOST_AUTO_TEST_CASE(ids_of_jobs_are_never_used_again) {
  const WorkerId w = worker();
  finish(start(w), succeeded());
  remove(1);
  BOOST_TEST(add() == 2u);
}

BOOST_AUTO_TEST_CASE(a_missing_index_entry_is_damage_and_not_written_over) {
  add();
  BOOST_CHECK_THROW(change([&](Ledger& ledger) {
                      store::erase(ledger.txn(), ready_key(1, ledger.load(1)->header()));
                      engine::cancel(ledger, 1, {}, 15);
                    }),
                    Damaged);
  BOOST_TEST(state(1) == State::ready);
}

BOOST_AUTO_TEST_CASE(a_transaction_tells_whom_it_concerns) {
  const WorkerId w = worker();
  const JobId id = add({.queue = "q"});
  BOOST_TEST(touched.queues.size() == 1u);
  const Claimed job = claim_one(w);
  BOOST_TEST(touched.queues.empty());
  BOOST_TEST(touched.events);
  write(job, "x");
  BOOST_TEST(touched.output);
  BOOST_TEST(!touched.events);
  finish(job, succeeded());
  BOOST_TEST(touched.finals);
  BOOST_TEST(touched.queues.empty());
  retry(id);
  BOOST_TEST(!touched.finals);
  BOOST_TEST(touched.queues.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
