#include "worker/thread_pool.hpp"

#include "worker/workshop.hpp"

#include <atomic>
#include <barrier>
#include <functional>
#include <set>
#include <thread>

namespace tq::worker {
namespace {

using test::Signal;

// Work of which nothing is to be said afterwards.
ThreadPool::Ticket submit(ThreadPool& pool, std::function<void()> work) {
  struct Piece : ThreadPool::Work {
    explicit Piece(std::function<void()> function) : work(std::move(function)) {}
    void run() override { work(); }
    void report() override {}
    std::function<void()> work;
  };
  return pool.submit(std::make_shared<Piece>(std::move(work)));
}

BOOST_AUTO_TEST_SUITE(thread_pool)

BOOST_AUTO_TEST_CASE(all_work_is_done_before_the_pool_ends) {
  std::atomic<int> done = 0;
  {
    ThreadPool pool(3, [] {});
    for (int i = 0; i < 100; ++i) submit(pool, [&] { ++done; });
  }
  BOOST_TEST(done == 100);
}

BOOST_AUTO_TEST_CASE(there_are_as_many_threads_as_were_asked_for) {
  std::barrier all(4);
  std::mutex mutex;
  std::set<std::thread::id> threads;
  {
    ThreadPool pool(4, [] {});
    for (int i = 0; i < 40; ++i) {
      submit(pool, [&] {
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
    ThreadPool pool(1, [] {});
    const auto ticket = submit(pool, [&] {
      stuck.give();
      release.take();
      back.give();
    });
    stuck.take();
    pool.give_up(ticket);
    pool.give_up(ticket);
    Signal done;
    submit(pool, [&] { done.give(); });
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
    ThreadPool pool(2, [] {});
    for (int i = 0; i < 2; ++i) {
      const auto ticket = submit(pool, [&] {
        stuck.give();
        release.take();
      });
      stuck.take();
      pool.give_up(ticket);
    }
    release.give();
    release.give();
    for (int i = 0; i < 200; ++i) {
      submit(pool, [&] {
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
    ThreadPool pool(1, [] {});
    submit(pool, [&] {
      running.give();
      release.take();
    });
    running.take();
    const auto waiting = submit(pool, [&] { ran = true; });
    pool.give_up(waiting);
    release.give();
  }
  BOOST_TEST(!ran);
}

BOOST_AUTO_TEST_CASE(what_has_not_begun_can_be_withdrawn_and_what_has_cannot) {
  Signal running;
  Signal release;
  std::atomic<bool> ran = false;
  {
    ThreadPool pool(1, [] {});
    const auto first = submit(pool, [&] {
      running.give();
      release.take();
    });
    running.take();
    const auto second = submit(pool, [&] { ran = true; });
    BOOST_TEST(pool.waiting() == 1u);
    BOOST_TEST(pool.begun() == 1u);
    BOOST_TEST(!pool.withdraw(first));
    BOOST_TEST(pool.withdraw(second));
    BOOST_TEST(!pool.withdraw(second));
    BOOST_TEST(pool.waiting() == 0u);
    release.give();
  }
  BOOST_TEST(!ran);
}

BOOST_AUTO_TEST_CASE(no_more_begin_than_the_limit_says_and_more_when_it_is_raised) {
  Signal running;
  Signal release;
  ThreadPool pool(2, [] {});
  pool.set_limit(1);
  for (int i = 0; i < 2; ++i) {
    submit(pool, [&] {
      running.give();
      release.take();
    });
  }
  running.take();
  BOOST_TEST(pool.waiting() == 1u);
  pool.set_limit(2);
  running.take();
  pool.set_limit(0);
  release.give();
  release.give();
}

BOOST_AUTO_TEST_CASE(reports_come_in_batches_and_the_owner_is_called_when_there_is_a_reason) {
  Signal called;
  Signal go_on;
  std::atomic<int> calls = 0;
  ThreadPool pool(1, [&] {
    ++calls;
    called.give();
  });
  // Held back until all of it waits, so that what is called for does not depend on who is faster.
  submit(pool, [&] { go_on.take(); });
  for (std::size_t i = 1; i < 2 * ThreadPool::kBatch; ++i) submit(pool, [] {});
  go_on.give();
  for (int i = 0; i < 3; ++i) called.take();  // the first, kBatch, and the last
  BOOST_TEST(calls == 3);
  BOOST_TEST(pool.reports() == 2 * ThreadPool::kBatch);
  BOOST_TEST(pool.take_reports().size() == 2 * ThreadPool::kBatch);
  BOOST_TEST(pool.reports() == 0u);
  pool.hush(true);
  Signal done;
  submit(pool, [&] { done.give(); });
  done.take();
  called.take();  // it is the last that waits
  while (pool.reports() == 0) std::this_thread::yield();
  BOOST_TEST(calls == 4);
}

BOOST_AUTO_TEST_CASE(an_owner_who_looks_by_itself_is_not_called_for_a_first_report) {
  std::atomic<int> calls = 0;
  Signal called;
  ThreadPool pool(1, [&] {
    ++calls;
    called.give();
  });
  Signal ended;
  Signal go_on;
  pool.hush(true);
  pool.gather(true);
  submit(pool, [] {});
  submit(pool, [&] {
    ended.give();
    go_on.take();
  });
  submit(pool, [] {});
  pool.gather(false);
  ended.take();  // and so has the first
  BOOST_TEST(pool.reports() == 1u);
  BOOST_TEST(calls == 0);
  pool.hush(false);  // for what there is
  called.take();
  BOOST_TEST(calls == 1);
  go_on.give();
  called.take();
}

BOOST_AUTO_TEST_CASE(what_is_gathered_begins_at_the_end_of_it) {
  ThreadPool pool(2, [] {});
  Signal ran;
  std::atomic<int> begun = 0;
  pool.gather(true);
  const auto count = [&] {
    ++begun;
    ran.give();
  };
  submit(pool, count);
  submit(pool, count);
  BOOST_TEST(pool.waiting() == 2u);
  BOOST_TEST(begun == 0);
  pool.gather(false);
  ran.take();
  ran.take();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::worker
