#include "engine/copy.hpp"

#include "full_world.hpp"
#include "store/making.hpp"

namespace tq::engine {
namespace {

struct CopyWorld : FullWorld {
  std::string to = dir / "copy.tq";

  void make_copy() {
    store::make_store(to, [&](store::Environment& made) { engine::copy(*environment, made, {}); });
  }
};

BOOST_FIXTURE_TEST_SUITE(copy_, CopyWorld)

BOOST_AUTO_TEST_CASE(a_copy_has_everything_in_it) {
  make_copy();
  const World copy(to);
  check_same(*this, copy);
}

BOOST_AUTO_TEST_CASE(of_a_worker_it_has_nothing_by_which_a_process_could_be_found) {
  make_copy();
  const World copy(to);
  const auto record = worker_record(copy.read(), w);
  BOOST_REQUIRE(record);
  BOOST_TEST(record->pid == 0);
  BOOST_TEST(record->pid_started == 0u);
  BOOST_TEST(record->guard_pid == 0);
  BOOST_TEST(record->token.empty());
  BOOST_TEST(record->host == "somewhere");
  BOOST_TEST(record->queues.size() == 2u);
  BOOST_TEST(worker_record(read(), w)->token == "secret");  // the original's is as it was
}

BOOST_AUTO_TEST_CASE(what_runs_is_ready_in_the_copy_once_its_worker_is_rescued_and_costs_nothing) {
  make_copy();
  World copy(to);
  BOOST_TEST(copy.state(4) == State::running);
  BOOST_TEST(copy.rescue(w) == 3u);
  BOOST_TEST(copy.state(4) == State::ready);
  BOOST_TEST(copy.info(4).attempt == 0u);
  BOOST_TEST(copy.info(4).crashes == 0u);
  BOOST_TEST(copy.history(4) == "enqueued started interrupted");
  BOOST_TEST(copy.state(15) == State::ready);
  BOOST_TEST(copy.info(15).crashes == 0u);
  BOOST_TEST(copy.state(14) == State::cancelled);  // it had been asked to stop
  BOOST_TEST(copy.stats().crashes == 0u);
  BOOST_TEST(known_workers(copy.read()).empty());
  BOOST_TEST(state(4) == State::running);
}

BOOST_AUTO_TEST_CASE(random_stores_are_copied_as_they_are) {
  test::Random random;
  for (int round = 0; round < 3; ++round) {
    RandomWorld world;
    world.run(random, 300);
    const std::string path = world.dir / "copy.tq";
    store::make_store(path, [&](store::Environment& made) { engine::copy(*world.environment, made, {}); });
    check_same(world, World(path));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
