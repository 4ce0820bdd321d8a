#include "worker/thread_pool.hpp"

#include "worker/workshop.hpp"

#include <atomic>
#include <barrier>
#include <set>
#include <thread>

namespace tq::worker {
namespace {

using test::Signal;

BOOST_AUTO_TEST_SUITE(thread_pool)

BOOST_AUTO_TEST_CASE(all_work_is_done_before_the_pool_ends) {
  std::atomic<int> done = 0;
  {
    ThreadPool pool(3);
    for (int i = 0; i < 100; ++i) pool.submit([&] { ++done; });
  }
  BOOST_TEST(done == 100);
}

BOOST_AUTO_TEST_CASE(there_are_as_many_threads_as_were_asked_for) {
  std::barrier all(4);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  {
    ThreadPool pool(4);
    for (int i = 0; i < 40; ++i) {
      pool.submit([&] {
        all.arrive_and_wait();
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
      });
    }
  }
  BOOST_TEST(threads.size() == 4u);
}

BOOST_AUTO_TEST_CASE(one_that_was_given_up_is_replaced_and_not_waited_for) {
  Signal stuck;
  Signal release;
  Signal back;
  {
    ThreadPool pool(1);
    const auto ticket = pool.submit([&] {
      stuck.give();
      release.take();
      back.give();
    });
    stuck.take();
    pool.give_up(ticket);
    pool.give_up(ticket);
    Signal done;
    pool.submit([&] { done.give(); });
    done.take();
  }
  release.give();
  back.take();
}

BOOST_AUTO_TEST_CASE(one_that_comes_back_after_all_takes_its_place_only_if_it_is_free) {
  Signal stuck;
  Signal release;
  std::atomic<int> at_once = 0;
  std::atomic<int> most = 0;
  {
    ThreadPool pool(2);
    for (int i = 0; i < 2; ++i) {
      const auto ticket = pool.submit([&] {
        stuck.give();
        release.take();
      });
      stuck.take();
      pool.give_up(ticket);
    }
    release.give();
    release.give();
    for (int i = 0; i < 200; ++i) {
      pool.submit([&] {
        const int now = ++at_once;
        for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        --at_once;
      });
    }
  }
  BOOST_TEST(most <= 2);
}

BOOST_AUTO_TEST_CASE(what_is_given_up_before_it_began_never_runs) {
  Signal running;
  Signal release;
  std::atomic<bool> ran = false;
  {
    ThreadPool pool(1);
    pool.submit([&] {
      running.give();
      release.take();
    });
    running.take();
    const auto waiting = pool.submit([&] { ran = true; });
    pool.give_up(waiting);
    release.give();
  }
  BOOST_TEST(!ran);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::worker
