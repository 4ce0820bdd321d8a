// The engine against the plain model: random steps of every kind, several workers that die or leave, a clock that jumps
// either way, a store that is closed and opened. After each step events, counters, and the jobs that were touched with their
// places in the indexes are compared; now and then every job, every list and check() itself. What differs is shrunk to a
// few steps and printed as a test.
//
// TQ_TEST_SEED chooses the first seed, TQ_TEST_ROUNDS the number of steps.
#include "simulation_run.hpp"
#include "simulation_shrink.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

namespace tq::engine {
namespace {

// The life of one store: long enough for its intake to go round.
constexpr std::size_t kWorldSteps = 50'000;

std::size_t step_count() {
  const char* const text = std::getenv("TQ_TEST_ROUNDS");
  return text == nullptr ? 5000 : std::strtoull(text, nullptr, 10);
}

struct Found {
  std::string what;
  Steps steps;  // up to the one that differs
};

// Nothing: there was no difference.
std::optional<Found> difference(const Steps& steps, Flaw flaw = Flaw::none, const Simulation::Spoil& spoil = {}) {
  Simulation simulation(flaw, spoil);
  try {
    simulation.run(steps);
    return std::nullopt;
  } catch (const Difference& error) {
    const std::size_t count = std::min(simulation.done() + 6, steps.size());  // with all that shared a transaction
    return Found{error.what(), Steps(steps.begin(), steps.begin() + static_cast<std::ptrdiff_t>(count))};
  }
}

Found shrunk(const Found& found, Flaw flaw = Flaw::none, const Simulation::Spoil& spoil = {}) {
  Found smallest;
  smallest.steps = shrink(found.steps, [&](const Steps& steps) { return difference(steps, flaw, spoil).has_value(); });
  const auto again = difference(smallest.steps, flaw, spoil);
  smallest.what = again ? again->what : found.what + " (but not again)";
  return smallest;
}

Steps steps_of(std::uint64_t seed, std::size_t count) {
  test::Random random(seed);
  return random_steps(random, count);
}

// Stores that live one after the other, several at a time.
class Worlds {
 public:
  Worlds(std::uint64_t seed, std::size_t steps) : seed_(seed), left_(steps) {}

  // Returns the differences, as one text each.
  std::vector<std::string> run() {
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
      threads.emplace_back([this] { run_some(); });
    }
    for (std::thread& thread : threads) thread.join();
    return differences_;
  }
  std::uint64_t end_seed() const { return seed_; }

 private:
  void run_some() {
    for (;;) {
      std::unique_lock lock(mutex_);
      if (left_ == 0 || !differences_.empty()) return;
      const std::uint64_t seed = seed_++;
      const std::size_t count = std::min(left_, kWorldSteps);
      left_ -= count;
      const Steps steps = steps_of(seed, count);
      lock.unlock();
      const auto found = difference(steps);
      if (!found) continue;
      const Found smallest = shrunk(*found);
      lock.lock();
      differences_.push_back(fmt::format("seed {}, within {} steps: {}\n{}", seed, found->steps.size(), smallest.what,
                                         as_test(smallest.steps, fmt::format("seed_{}", seed))));
    }
  }

  std::mutex mutex_;
  std::uint64_t seed_;
  std::size_t left_;
  std::vector<std::string> differences_;
};

// What a printed test does.
void replay(const Steps& steps) {
  const auto found = difference(steps);
  BOOST_TEST(!found.has_value(), found->what);
}

BOOST_AUTO_TEST_SUITE(simulation)

BOOST_AUTO_TEST_CASE(the_engine_does_what_the_plain_model_does) {
  const std::uint64_t seed = test::test_seed();
  Worlds worlds(seed, step_count());
  const std::vector<std::string> differences = worlds.run();
  for (const std::string& text : differences) BOOST_ERROR(text);
  if (!differences.empty()) return;
  std::cout << fmt::format("proved: {} random operations (seeds {} to {}) against the plain model: 0 differences\n",
                           fmt::group_digits(step_count()), seed, worlds.end_seed() - 1);
}

// --- the simulation itself ---

constexpr std::size_t kFewSteps = 10;

// The flaw is found, and shrunk to a few steps that show it, and show nothing without it. Some lists have no shorter ones
// near them: the next seed has another.
void check_found(Flaw flaw, const Simulation::Spoil& spoil = {}) {
  Found smallest;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto found = difference(steps_of(seed, 1000), flaw, spoil);
    if (!found) continue;
    smallest = shrunk(*found, flaw, spoil);
    if (smallest.steps.size() <= kFewSteps) break;
  }
  BOOST_TEST_MESSAGE(smallest.what << "\n" << as_test(smallest.steps, "flaw"));
  BOOST_TEST(!smallest.steps.empty());
  BOOST_TEST(smallest.steps.size() <= kFewSteps, as_test(smallest.steps, "flaw"));
  BOOST_TEST(difference(smallest.steps, flaw, spoil).has_value());
  replay(smallest.steps);
}

BOOST_AUTO_TEST_CASE(a_rule_that_is_wrong_is_found_and_shown_in_few_steps) {
  for (const Flaw flaw : {Flaw::snooze_uses_an_attempt, Flaw::retry_keeps_crashes, Flaw::pause_lets_the_first_go,
                          Flaw::deadline_counts_after_the_start, Flaw::wait_is_not_begun_anew,
                          Flaw::worker_keeps_what_it_claimed_ahead}) {
    check_found(flaw);
  }
}

BOOST_AUTO_TEST_CASE(a_counter_that_is_wrong_is_found_and_shown_in_few_steps) {
  check_found(Flaw::none, [](Ledger& ledger) {
    if (ledger.totals().cancelled == 1) --ledger.totals().cancelled;
  });
}

BOOST_AUTO_TEST_CASE(an_index_entry_that_is_missing_is_found_and_shown_in_few_steps) {
  check_found(Flaw::none, [](Ledger& ledger) {
    store::Cursor<SpanKey> cursor(ledger.txn());
    if (!cursor.first()) return;
    const SpanKey key = cursor.key();
    store::erase(ledger.txn(), key);
  });
}

// --- what was found once ---

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
