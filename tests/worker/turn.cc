#include "worker/turn.hpp"

#include "queue/hand.hpp"
#include "queue/stores.hpp"
#include "support/fake_clock.hpp"

#include <future>

namespace tq::worker {
namespace {

using engine::Outcome;
using test::FileStore;
using test::Hand;
using test::types;
using namespace std::chrono_literals;

// A registered worker whose turns are taken one by one.
class Turns {
 public:
  Turns() { queue.impl().clock = &clock; }

  TurnOutput take(TurnInput input) { return take_turn(queue.impl(), hand.id(), 3, std::move(input)); }
  TurnInput claim(std::size_t limit) {
    TurnInput input;
    input.claim.worker = hand.id();
    input.claim.tasks = {"work"};
    input.claim.limit = limit;
    return input;
  }
  engine::RunKey key(const engine::Claimed& claimed) { return {claimed.id, claimed.record.header.run, hand.id()}; }
  std::string history(JobId id) { return types(queue.events({.job = id})); }

  FileStore store;
  TaskQueue& queue = store.queue;
  test::FakeClock clock;
  Hand hand{queue};
};

BOOST_AUTO_TEST_SUITE(turn)

BOOST_FIXTURE_TEST_CASE(a_turn_with_nothing_to_do_changes_nothing, Turns) {
  const EventSeq before = queue.stats().last_event;
  const TurnOutput output = take(claim(5));
  BOOST_TEST(output.claimed.empty());
  BOOST_TEST(!output.may_be_more);
  BOOST_TEST(!output.more_due);
  BOOST_CHECK(!output.next_due && !output.next_keep);
  BOOST_TEST(queue.stats().last_event == before);
}

BOOST_FIXTURE_TEST_CASE(an_end_and_the_next_claim_are_one_turn, Turns) {
  const JobId first = queue.enqueue("work", {});
  const JobId second = queue.enqueue("work", {});
  const TurnOutput begun = take(claim(1));
  BOOST_REQUIRE(begun.claimed.size() == 1u);
  TurnInput input = claim(1);
  input.ended.push_back({key(begun.claimed[0]), {}, false});
  const TurnOutput output = take(std::move(input));
  BOOST_REQUIRE(output.claimed.size() == 1u);
  BOOST_TEST(output.claimed[0].id == second);
  BOOST_TEST(queue.get(first)->state == State::succeeded);
  BOOST_TEST(output.late.empty());
}

BOOST_FIXTURE_TEST_CASE(output_comes_before_the_end_of_the_attempt_that_wrote_it, Turns) {
  const JobId id = queue.enqueue("work", {});
  const auto claimed = take(claim(1)).claimed.at(0);
  TurnInput input;
  input.output.push_back({key(claimed), {{clock.now(), Stream::out, "text"}}, 7, {{clock.now(), Stream::out, "end"}}});
  input.progress.push_back({key(claimed), 0.5, "half"});
  input.ended.push_back({key(claimed), {}, false});
  take(std::move(input));
  BOOST_TEST(history(id) == "enqueued started progress succeeded");
  BOOST_TEST(queue.get(id)->log_bytes == 7u);
  BOOST_TEST(queue.get(id)->log_dropped_bytes == 7u);
}

BOOST_FIXTURE_TEST_CASE(an_end_of_a_claim_that_is_not_held_any_more_is_late, Turns) {
  const JobId id = queue.enqueue("work", {});
  const auto claimed = take(claim(1)).claimed.at(0);
  for (int i = 0; i < 2; ++i) {
    TurnInput input;
    input.ended.push_back({key(claimed), {}, false});
    const TurnOutput output = take(std::move(input));
    BOOST_TEST(output.late.size() == static_cast<std::size_t>(i));
  }
  BOOST_TEST(history(id) == "enqueued started succeeded");
}

BOOST_FIXTURE_TEST_CASE(what_died_with_the_guard_is_a_crash, Turns) {
  const JobId id = queue.enqueue("work", {});
  const auto claimed = take(claim(1)).claimed.at(0);
  TurnInput input;
  input.ended.push_back({key(claimed), {.kind = Outcome::Kind::failed, .error = "lost"}, true});
  take(std::move(input));
  BOOST_TEST(queue.get(id)->crashes == 1u);
  BOOST_TEST(history(id) == "enqueued started crashed");
}

BOOST_FIXTURE_TEST_CASE(the_dead_are_rescued_and_the_living_are_not, Turns) {
  const JobId id = queue.enqueue("work", {});
  Hand other(queue);
  other.claim();
  TurnInput input;
  input.dead = {{other.id(), "was killed by SIGKILL"}};
  take(std::move(input));
  BOOST_TEST(queue.get(id)->state == State::running);
  other.die();
  input = {};
  input.dead = {{other.id(), "was killed by SIGKILL"}, {999, ""}};
  take(std::move(input));
  BOOST_TEST(queue.get(id)->state == State::ready);
  BOOST_TEST(queue.events({.types = {EventType::worker_died}}).at(0).text.ends_with("was killed by SIGKILL"));
}

BOOST_FIXTURE_TEST_CASE(what_is_due_is_fired_and_claimed_in_the_same_turn, Turns) {
  const JobId id = queue.enqueue("work", {}, {.delay = 1h});
  const TurnOutput before = take(claim(1));
  BOOST_TEST(before.claimed.empty());
  BOOST_CHECK(before.next_due == test::kStart + 1h);
  clock.advance(1h);
  const TurnOutput after = take(claim(1));
  BOOST_REQUIRE(after.claimed.size() == 1u);
  BOOST_TEST(after.claimed[0].id == id);
  BOOST_CHECK(!after.next_due);
}

BOOST_FIXTURE_TEST_CASE(of_very_much_that_is_due_a_turn_does_a_part_and_says_so, Turns) {
  queue.enqueue_many(std::vector<JobSpec>(1500, {"work", {}, {.delay = 1h}}));
  clock.advance(1h);
  BOOST_TEST(take({}).more_due);
  BOOST_TEST(!take({}).more_due);
  BOOST_TEST(queue.queue("default").value()[State::ready] == 1500u);
}

BOOST_FIXTURE_TEST_CASE(unknown_tasks_are_failed_and_more_may_be_left, Turns) {
  queue.enqueue_many(std::vector<JobSpec>(150, {"other", {}, {}}));
  const auto next = [&] {
    TurnInput input = claim(1);
    input.fail_unknown_tasks = true;
    return take(std::move(input));
  };
  BOOST_TEST(next().may_be_more);
  BOOST_TEST(next().may_be_more);
  BOOST_TEST(!next().may_be_more);
  BOOST_TEST(queue.stats().failed == 150u);
}

BOOST_FIXTURE_TEST_CASE(a_turn_thread_takes_one_turn_after_the_other, Turns) {
  queue.enqueue("work", {});
  std::promise<TurnOutput> first;
  std::promise<TurnOutput> second;
  std::atomic<int> turns = 0;
  TurnThread thread(queue.impl(), hand.id(), 3,
                    [&](TurnOutput output) { (++turns == 1 ? first : second).set_value(std::move(output)); });
  thread.start(claim(1));
  BOOST_TEST(first.get_future().get().claimed.size() == 1u);
  thread.start(claim(1));
  BOOST_TEST(second.get_future().get().claimed.empty());
}

BOOST_FIXTURE_TEST_CASE(what_a_turn_throws_is_handed_over, Turns) {
  std::promise<TurnOutput> done;
  TurnThread thread(queue.impl(), hand.id(), 3, [&](TurnOutput output) { done.set_value(std::move(output)); });
  const auto write = [&](std::string_view totals) {
    auto txn = queue.impl().environment->write();
    store::put(txn, engine::TotalsKey{}, totals);
    txn.commit();
  };
  const std::string totals(store::get(queue.impl().environment->read(), engine::TotalsKey{}).value());
  write("damaged");
  thread.start(claim(1));
  BOOST_CHECK_THROW(std::rethrow_exception(done.get_future().get().error), Damaged);
  write(totals);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::worker
