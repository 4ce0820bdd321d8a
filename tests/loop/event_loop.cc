#include "loop/event_loop.hpp"

#include "loop/guard.hpp"
#include "loop/timer.hpp"
#include "loop/uv_loop.hpp"
#include "loop/watch.hpp"
#include "support/message_of.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace tq::loop;
using tq::Duration;

BOOST_AUTO_TEST_SUITE(loop_event_loop)

BOOST_AUTO_TEST_CASE(posted_functions_run_in_the_order_of_posting) {
  EventLoop loop;
  std::string ran;
  for (const char name : {'a', 'b', 'c'}) loop.post([&ran, name] { ran += name; });
  loop.stop();
  BOOST_TEST(ran == "");
  loop.run();
  BOOST_TEST(ran == "abc");
}

BOOST_AUTO_TEST_CASE(what_threads_post_all_runs_on_the_loop_s_thread_in_each_one_s_order) {
  constexpr std::size_t kThreads = 4;
  constexpr int kEach = 20'000;
  EventLoop loop;
  std::vector<int> last(kThreads, -1);
  int count = 0;
  bool in_order = true;
  bool on_loop_thread = true;
  const auto loop_thread = std::this_thread::get_id();
  std::vector<std::thread> threads;
  for (std::size_t thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      for (int i = 0; i < kEach; ++i) {
        loop.post([&, thread, i] {
          in_order = in_order && last[thread] == i - 1;
          on_loop_thread = on_loop_thread && std::this_thread::get_id() == loop_thread;
          last[thread] = i;
          if (++count == static_cast<int>(kThreads) * kEach) loop.stop();
        });
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(count == static_cast<int>(kThreads) * kEach);
  BOOST_TEST(in_order);
  BOOST_TEST(on_loop_thread);
}

BOOST_AUTO_TEST_CASE(a_post_to_a_sleeping_loop_always_wakes_it) {
  EventLoop loop;
  std::atomic<int> ran = 0;
  std::thread thread([&] {
    for (int i = 0; i < 20'000; ++i) {
      loop.post([&] {
        ++ran;
        ran.notify_one();
      });
      ran.wait(i);
    }
    loop.stop();
  });
  loop.run();
  thread.join();
  BOOST_TEST(ran == 20'000);
}

BOOST_AUTO_TEST_CASE(what_is_posted_while_posted_functions_run_runs_after_them) {
  EventLoop loop;
  std::string ran;
  loop.post([&] {
    ran += 'a';
    loop.post([&] {
      ran += 'c';
      loop.stop();
    });
  });
  loop.post([&] { ran += 'b'; });
  loop.run();
  BOOST_TEST(ran == "abc");
}

BOOST_AUTO_TEST_CASE(stop_ends_run_from_any_thread_and_run_can_be_called_again) {
  EventLoop loop;
  for (int i = 0; i < 100; ++i) {
    std::thread thread([&] { loop.stop(); });
    loop.run();
    thread.join();
  }
  bool ran = false;
  loop.post([&] {
    ran = true;
    loop.stop();
  });
  loop.run();
  BOOST_TEST(ran);
}

BOOST_AUTO_TEST_CASE(run_may_be_called_on_another_thread_than_the_maker_s) {
  EventLoop loop;
  Timer timer(loop, [&] { loop.stop(); });
  timer.start(Duration{1});
  std::thread thread([&] { loop.run(); });
  thread.join();
}

BOOST_AUTO_TEST_CASE(an_exception_of_a_posted_function_is_thrown_by_run_and_nothing_posted_is_lost) {
  EventLoop loop;
  std::string ran;
  loop.post([&] { ran += 'a'; });
  loop.post([] { throw std::runtime_error("no"); });
  loop.post([&] { ran += 'b'; });
  BOOST_TEST(tq::test::message_of<std::runtime_error>([&] { loop.run(); }) == "no");
  BOOST_TEST(ran == "a");
  loop.post([&] {
    ran += 'c';
    loop.stop();
  });
  loop.run();
  BOOST_TEST(ran == "abc");
}

BOOST_AUTO_TEST_CASE(what_was_posted_before_an_exception_runs_without_a_further_post) {
  EventLoop loop;
  bool ran = false;
  loop.post([] { throw std::runtime_error("no"); });
  loop.post([&] {
    ran = true;
    loop.stop();
  });
  BOOST_CHECK_THROW(loop.run(), std::runtime_error);
  loop.run();
  BOOST_TEST(ran);
}

BOOST_AUTO_TEST_CASE(an_exception_of_a_timer_or_a_watch_is_thrown_by_run) {
  EventLoop loop;
  Timer timer(loop, [] { throw std::runtime_error("timer"); });
  timer.start(Duration{0});
  BOOST_TEST(tq::test::message_of<std::runtime_error>([&] { loop.run(); }) == "timer");
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const tq::base::Fd reading(ends[0]);
  tq::base::Fd writing(ends[1]);
  const Watch watch(loop, reading.get(), [] { throw std::runtime_error("watch"); });
  writing.reset();
  BOOST_TEST(tq::test::message_of<std::runtime_error>([&] { loop.run(); }) == "watch");
}

BOOST_AUTO_TEST_CASE(what_never_ran_is_destroyed_with_the_loop) {
  const auto held = std::make_shared<int>();
  {
    EventLoop loop;
    loop.post([held] {});
    BOOST_TEST(held.use_count() == 2);
  }
  BOOST_TEST(held.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(what_never_ran_may_hold_what_is_registered_and_post_when_destroyed) {
  struct Poster {
    EventLoop& loop;
    ~Poster() {
      loop.post([] {});
    }
  };
  EventLoop loop;
  auto timer = std::make_shared<Timer>(loop, [] {});
  timer->start(Duration{1000});
  loop.post([timer, poster = std::make_shared<Poster>(loop)] {});
  timer.reset();
}

BOOST_AUTO_TEST_CASE(an_idle_loop_sleeps_until_something_happens) {
  EventLoop loop;
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);
  const tq::base::Fd reading(ends[0]);
  const tq::base::Fd writing(ends[1]);
  const Watch watch(loop, reading.get(), [] {});
  const DeathWatch death_watch(loop, ::getpid(), process_started(::getpid()), [] {});
  const Timer timer(loop, [] {});
  WallTimer wall_timer(loop, [] {});
  const Guard guard(loop, {.token = "idle"});
  loop.stop();
  loop.run();
  // What libuv gives to epoll: without end.
  BOOST_TEST(uv_backend_timeout(&loop.impl().uv) == -1);
}

BOOST_AUTO_TEST_SUITE_END()
