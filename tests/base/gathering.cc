#include "base/gathering.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <stdexcept>
#include <thread>

namespace tq::base {
namespace {

BOOST_AUTO_TEST_SUITE(gathering)

BOOST_AUTO_TEST_CASE(one_caller_serves_itself) {
  Gathering<int> gathering;
  int item = 1;
  gathering.join(item, [](std::span<int* const> items) {
    BOOST_TEST(items.size() == 1u);
    ++*items[0];
  });
  BOOST_TEST(item == 2);
}

BOOST_AUTO_TEST_CASE(who_arrives_while_others_are_served_is_served_together_by_one) {
  constexpr int kThreads = 8;
  Gathering<int> gathering;
  std::atomic<int> rounds = 0;
  std::atomic<int> arrived = 0;
  std::vector<int> items(kThreads, 0);
  std::vector<std::thread> threads;
  const auto serve = [&](std::span<int* const> round) {
    ++rounds;
    for (int* item : round) ++*item;
  };
  int first = 0;
  gathering.join(first, [&](std::span<int* const> round) {
    for (int& item : items) {
      threads.emplace_back([&] {
        ++arrived;
        gathering.join(item, serve);
      });
    }
    while (arrived != kThreads) std::this_thread::yield();
    serve(round);
  });
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(first == 1);
  for (const int item : items) BOOST_TEST(item == 1);
  BOOST_TEST(rounds <= 1 + kThreads);
}

BOOST_AUTO_TEST_CASE(rounds_do_not_overlap_and_nobody_is_served_twice) {
  constexpr int kThreads = 8;
  constexpr int kEach = 500;
  Gathering<int> gathering;
  bool serving = false;
  int served = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        int item = 0;
        gathering.join(item, [&](std::span<int* const> round) {
          if (serving) throw std::logic_error("two at once");
          serving = true;
          for (int* one : round) ++*one;
          served += static_cast<int>(round.size());
          serving = false;
        });
        if (item != 1) throw std::logic_error("served more than once");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(served == kThreads * kEach);
}

BOOST_AUTO_TEST_CASE(what_serving_throws_is_thrown_to_its_round_alone) {
  Gathering<int> gathering;
  int item = 0;
  BOOST_CHECK_THROW(gathering.join(item, [](auto) { throw std::runtime_error("no"); }), std::runtime_error);
  gathering.join(item, [](std::span<int* const> items) { ++*items[0]; });
  BOOST_TEST(item == 1);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::base
