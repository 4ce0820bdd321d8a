#include "worker/peers.hpp"

#include "queue/actor.hpp"
#include "queue/hand.hpp"
#include "queue/stores.hpp"

#include <csignal>

namespace tq::worker {
namespace {

using test::Actor;
using test::FileStore;
using test::Hand;

class Watched {
 public:
  FileStore store;
  TaskQueue& queue = store.queue;
  loop::EventLoop loop;
  std::vector<std::pair<WorkerId, std::string>> dead;
  Peers peers{loop, queue.impl(), [this](WorkerId worker, std::string how) {
                dead.emplace_back(worker, std::move(how));
                loop.stop();
              }};
};

BOOST_AUTO_TEST_SUITE(peers)

BOOST_FIXTURE_TEST_CASE(those_who_live_are_left_alone, Watched) {
  const Hand hand(queue);
  peers.refresh(0);
  BOOST_TEST(dead.empty());
}

BOOST_FIXTURE_TEST_CASE(one_of_this_process_that_is_dead_is_found_by_a_look, Watched) {
  Hand hand(queue);
  peers.refresh(0);
  hand.die();
  peers.refresh(0);
  BOOST_REQUIRE(dead.size() == 1u);
  BOOST_TEST(dead[0].first == hand.id());
  BOOST_TEST(dead[0].second == "");  // the process lives
}

BOOST_FIXTURE_TEST_CASE(oneself_is_not_looked_at, Watched) {
  Hand hand(queue);
  hand.die();
  peers.refresh(hand.id());
  BOOST_TEST(dead.empty());
}

BOOST_FIXTURE_TEST_CASE(a_process_that_is_killed_is_noticed_without_a_look, Watched) {
  queue.enqueue("work", {});
  Actor actor(store.path(), "hold");
  actor.line();
  peers.refresh(0);
  actor.kill(SIGKILL);
  loop.run();
  BOOST_REQUIRE(dead.size() == 1u);
  BOOST_TEST(dead[0].first == queue.workers().at(0).id);
  BOOST_TEST(dead[0].second == "was killed by SIGKILL");
}

BOOST_FIXTURE_TEST_CASE(one_that_is_dead_already_is_noticed, Watched) {
  queue.enqueue("work", {});
  Actor actor(store.path(), "hold");
  actor.line();
  actor.kill(SIGKILL);
  BOOST_TEST(actor.wait() == 128 + SIGKILL);
  peers.refresh(0);
  loop.run();
  BOOST_TEST(dead.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(one_whose_lock_outlives_its_process_is_looked_at_until_it_is_free, Watched) {
  Hand hand(queue);  // its lock is held here, but its record says that another process has died
  Actor actor(store.path(), "enqueue", "0");
  model::WorkerRecord record;
  record.pid = actor.pid();
  record.pid_started = loop::process_started(record.pid);
  BOOST_TEST(actor.wait() == 0);
  queue.impl().change(Room::spared, [&](engine::Ledger& ledger) { engine::update_worker(ledger, hand.id(), record); });
  peers.refresh(0);
  loop::Timer later(loop, [&] { hand.die(); });
  later.start(Duration{20});
  loop.run();
  BOOST_TEST(dead.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::worker
