#include "engine/steer.hpp"
#include "world.hpp"

namespace tq::engine {
namespace {

struct Purging : World {
  const WorkerId w = worker();

  // As a caller does it: in small bites, until nothing is left.
  std::uint64_t purge(std::string_view queue, std::optional<State> state = {}, std::size_t limit = 2) {
    std::uint64_t removed = 0;
    Purged purged;
    std::size_t turns = 0;
    do {
      BOOST_TEST_REQUIRE(++turns < 1000u);
      purged = change([&](Ledger& ledger) { return engine::purge(ledger, queue, state, purged.next, limit); });
      BOOST_TEST(purged.jobs <= limit);
      removed += purged.jobs;
    } while (purged.next != 0);
    return removed;
  }
  std::uint64_t purge_dead(std::optional<Time> older_than = {}, std::size_t limit = 1000) {
    return change([&](Ledger& ledger) { return engine::purge_dead(ledger, older_than, limit); });
  }
};

BOOST_FIXTURE_TEST_SUITE(purge_, Purging)

BOOST_AUTO_TEST_CASE(purging_a_queue_removes_what_waits_and_says_how_many) {
  finish(start(w), succeeded());    // 1
  start(w);                         // 2
  finish(start(w), failed());       // 3
  add_many(5);                      // 4 to 8
  add_many(4, {.delay = 1h});       // 9 to 12
  add_many(3, {.queue = "other"});  // 13 to 15
  BOOST_TEST(purge("default") == 10u);
  BOOST_TEST(ids(list()) == "15 14 13 2 1");
  BOOST_TEST(queue().waiting() == 0u);
  BOOST_TEST(history(4) == "enqueued removed");
  BOOST_TEST(purge("default") == 0u);
}

BOOST_AUTO_TEST_CASE(purging_one_state_removes_only_that) {
  finish(start(w), succeeded());
  finish(start(w), failed_for_good());
  add_many(3);
  add_many(2, {.delay = 1h});
  BOOST_TEST(purge("default", State::scheduled) == 2u);
  BOOST_TEST(purge("default", State::succeeded) == 1u);
  BOOST_TEST(purge("default", State::cancelled) == 0u);
  BOOST_TEST(purge("default", State::retrying) == 0u);
  BOOST_TEST(ids(list()) == "5 4 3 2");
}

BOOST_AUTO_TEST_CASE(what_runs_is_not_purged) {
  start(w);
  BOOST_CHECK_THROW(purge("default", State::running), Conflict);
  BOOST_CHECK_THROW(purge("default", State::forwarded), Conflict);
  BOOST_CHECK_THROW(purge("nowhere"), NotFound);
  BOOST_TEST(purge("default") == 0u);
  BOOST_TEST(state(1) == State::running);
}

BOOST_AUTO_TEST_CASE(a_purge_goes_on_where_it_left_off_in_a_store_full_of_other_jobs) {
  add_many(700);
  add_many(3, {.queue = "rare"});
  add_many(500);
  add_many(2, {.queue = "rare"});
  Purged purged = change([&](Ledger& ledger) { return engine::purge(ledger, "rare", {}, 0, 2); });
  BOOST_TEST(purged.jobs == 0u);  // it has looked at many
  BOOST_TEST(purged.next != 0u);
  BOOST_TEST(purge("rare") == 5u);
  BOOST_TEST(queue("rare").unfinished() == 0u);
  BOOST_TEST(queue().unfinished() == 1200u);
}

BOOST_AUTO_TEST_CASE(a_purged_job_takes_its_payload_with_it) {
  add({}, "work", std::string(20'000, 'p'));
  BOOST_TEST(purge("default") == 1u);
  BOOST_TEST(!store::get_blob(read(), 1, store::BlobKind::payload).has_value());
}

BOOST_AUTO_TEST_CASE(purging_the_dead_removes_only_what_is_older_than_asked_and_says_how_many) {
  for (int i = 0; i < 4; ++i) {
    finish(start(w), failed_for_good());
    clock.advance(1h);
  }
  cancel(add());
  finish(start(w), succeeded());
  BOOST_TEST(purge_dead(kStart) == 0u);
  BOOST_TEST(purge_dead(kStart + 1h) == 1u);
  BOOST_TEST(!exists(1));
  BOOST_TEST(purge_dead(kStart + 1h + 1ms) == 1u);
  BOOST_TEST(purge_dead({}, 1) == 1u);
  BOOST_TEST(ids(list({.states = {State::failed}})) == "4");
  BOOST_TEST(purge_dead() == 1u);
  BOOST_TEST(purge_dead() == 0u);
  BOOST_TEST(list().size() == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
