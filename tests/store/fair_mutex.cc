#include "store/fair_mutex.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace tq::store {
namespace {

BOOST_AUTO_TEST_SUITE(fair_mutex)

BOOST_AUTO_TEST_CASE(one_thread_at_a_time_is_inside) {
  FairMutex mutex;
  int count = 0;  // not atomic: a race would be seen by its loss, or by the sanitizer
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) {
        const std::lock_guard lock(mutex);
        ++count;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(count == 8000);
}

BOOST_AUTO_TEST_CASE(who_waits_goes_before_who_comes_back) {
  FairMutex mutex;
  std::atomic<bool> got_it = false;
  mutex.lock();
  std::thread waiter([&] {
    const std::lock_guard lock(mutex);
    got_it = true;
  });
  // However long the waiter takes to arrive: once it has, one more round is all that can go before it.
  while (!got_it) {
    mutex.unlock();
    mutex.lock();
  }
  mutex.unlock();
  waiter.join();
  BOOST_TEST(got_it.load());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
