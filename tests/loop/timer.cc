#include "loop/timer.hpp"

#include "base/clock.hpp"
#include "base/fd.hpp"
#include "loop/uv_loop.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cerrno>
#include <memory>
#include <string>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

using namespace tq::loop;
using tq::Duration;
using tq::Time;

// Setting the system's clock would disturb everybody: instead the two calls that tell of it are told to say so. They stand in
// for the C library's in this program.
namespace {

std::atomic<int> settings_cancelled = 0;  // so many calls of timerfd_settime say ECANCELED, having set the timer
std::atomic<int> reads_cancelled = 0;     // so many reads of 8 bytes say it

}  // namespace

extern "C" int timerfd_settime(int fd, int flags, const itimerspec* value, itimerspec* old) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_timerfd_settime, fd, flags, value, old));
  if (settings_cancelled.load() == 0) return result;
  --settings_cancelled;
  errno = ECANCELED;
  return -1;
}

extern "C" ssize_t read(int fd, void* buffer, std::size_t size) {
  const ssize_t result = ::syscall(SYS_read, fd, buffer, size);
  if (size != 8 || reads_cancelled.load() == 0) return result;
  --reads_cancelled;
  errno = ECANCELED;
  return -1;
}

namespace {

// A timer of the kernel's, to compare with: has it fired?
class Reference {
 public:
  explicit Reference(Duration after) : fd_(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {
    itimerspec at{};
    at.it_value.tv_nsec = after.count() * 1'000'000;
    BOOST_REQUIRE(::timerfd_settime(fd_.get(), 0, &at, nullptr) == 0);
  }
  bool has_fired() const {
    std::uint64_t times = 0;
    return ::read(fd_.get(), &times, sizeof times) == sizeof times;
  }

 private:
  tq::base::Fd fd_;
};

Time now() { return tq::base::system_clock().now(); }

}  // namespace

BOOST_AUTO_TEST_SUITE(loop_timer)

BOOST_AUTO_TEST_CASE(timers_fire_in_the_order_of_their_times) {
  EventLoop loop;
  std::string fired;
  Timer last(loop, [&] {
    fired += 'c';
    loop.stop();
  });
  Timer first(loop, [&] { fired += 'a'; });
  Timer second(loop, [&] { fired += 'b'; });
  last.start(Duration{30});
  first.start(Duration{1});
  second.start(Duration{15});
  loop.run();
  BOOST_TEST(fired == "abc");
}

BOOST_AUTO_TEST_CASE(a_timer_is_never_early) {
  EventLoop loop;
  for (int i = 0; i < 50; ++i) {
    bool was_due = false;
    std::unique_ptr<Reference> reference;
    Timer timer(loop, [&] {
      was_due = reference->has_fired();
      loop.stop();
    });
    reference = std::make_unique<Reference>(Duration{2});
    timer.start(Duration{2});
    loop.run();
    BOOST_TEST(was_due);
  }
}

BOOST_AUTO_TEST_CASE(a_timer_fires_once_for_each_start) {
  EventLoop loop;
  int fired = 0;
  Timer timer(loop, [&] { ++fired; });
  Timer end(loop, [&] { loop.stop(); });
  timer.start(Duration{1});
  end.start(Duration{20});
  loop.run();
  BOOST_TEST(fired == 1);
  timer.start(Duration{-5});  // at once
  end.start(Duration{20});
  loop.run();
  BOOST_TEST(fired == 2);
}

BOOST_AUTO_TEST_CASE(a_start_takes_the_place_of_an_earlier_one) {
  EventLoop loop;
  std::string fired;
  Timer timer(loop, [&] { fired += 'x'; });
  Timer end(loop, [&] { loop.stop(); });
  timer.start(Duration{1});
  timer.start(std::chrono::hours{1});
  end.start(Duration{10});
  loop.run();
  BOOST_TEST(fired == "");
  timer.start(Duration{1});
  end.start(Duration{10});
  loop.run();
  BOOST_TEST(fired == "x");
}

BOOST_AUTO_TEST_CASE(a_cancelled_timer_does_not_fire) {
  EventLoop loop;
  bool fired = false;
  Timer timer(loop, [&] { fired = true; });
  Timer end(loop, [&] { loop.stop(); });
  timer.start(Duration{1});
  timer.cancel();
  timer.cancel();
  end.start(Duration{10});
  loop.run();
  BOOST_TEST(!fired);
}

BOOST_AUTO_TEST_CASE(a_destroyed_timer_does_not_fire) {
  EventLoop loop;
  bool fired = false;
  auto timer = std::make_unique<Timer>(loop, [&] { fired = true; });
  timer->start(Duration{0});
  timer.reset();
  Timer end(loop, [&] { loop.stop(); });
  end.start(Duration{5});
  loop.run();
  BOOST_TEST(!fired);
}

BOOST_AUTO_TEST_CASE(a_timer_may_be_destroyed_or_started_again_in_its_own_callback) {
  EventLoop loop;
  int fired = 0;
  std::unique_ptr<Timer> timer;
  std::string text(100, 'x');  // lives in the callback, and is looked at after the timer has gone
  timer = std::make_unique<Timer>(loop, [&, text] {
    if (++fired < 3) return timer->start(Duration{1});
    timer.reset();
    if (text.size() == 100) loop.stop();
  });
  timer->start(Duration{1});
  loop.run();
  BOOST_TEST(fired == 3);
}

BOOST_AUTO_TEST_CASE(what_a_callback_holds_goes_with_its_timer) {
  EventLoop loop;
  const auto held = std::make_shared<int>();
  auto timer = std::make_unique<Timer>(loop, [held] {});
  timer.reset();
  BOOST_TEST(held.use_count() == 1);
}

BOOST_AUTO_TEST_CASE(a_timer_for_ever_is_not_due) {
  EventLoop loop;
  bool fired = false;
  Timer timer(loop, [&] { fired = true; });
  timer.start(Duration::max());
  Timer end(loop, [&] { loop.stop(); });
  end.start(Duration{5});
  loop.run();
  BOOST_TEST(!fired);
}

BOOST_AUTO_TEST_CASE(a_wall_timer_fires_at_its_time_and_not_before) {
  EventLoop loop;
  Time when = now() + Duration{20};
  Time fired_at{};
  WallTimer timer(loop, [&] {
    fired_at = now();
    loop.stop();
  });
  timer.set(when);
  loop.run();
  BOOST_TEST((fired_at >= when));
}

BOOST_AUTO_TEST_CASE(a_wall_timer_fires_at_once_for_a_time_that_has_passed) {
  EventLoop loop;
  int fired = 0;
  WallTimer timer(loop, [&] {
    ++fired;
    loop.stop();
  });
  for (const Time when : {now(), now() - std::chrono::hours{1}, Time{}, Time{Duration{-1000}}, Time::min()}) {
    timer.set(when);
    loop.run();
  }
  BOOST_TEST(fired == 5);
}

BOOST_AUTO_TEST_CASE(a_wall_timer_fires_once_for_each_time) {
  EventLoop loop;
  int fired = 0;
  WallTimer timer(loop, [&] { ++fired; });
  Timer end(loop, [&] { loop.stop(); });
  timer.set(now());
  end.start(Duration{20});
  loop.run();
  BOOST_TEST(fired == 1);
}

BOOST_AUTO_TEST_CASE(a_wall_timer_that_is_not_set_or_far_away_does_not_fire) {
  EventLoop loop;
  int fired = 0;
  WallTimer timer(loop, [&] { ++fired; });
  Timer end(loop, [&] { loop.stop(); });
  for (const std::optional<Time> when : {std::optional<Time>{}, std::optional<Time>{now() + std::chrono::hours{1}},
                                         std::optional<Time>{Time::max()}, std::optional<Time>{}}) {
    timer.set(now() + Duration{1});
    timer.set(when);
    end.start(Duration{10});
    loop.run();
  }
  BOOST_TEST(fired == 0);
}

BOOST_AUTO_TEST_CASE(a_wall_timer_may_be_set_again_or_destroyed_in_its_own_callback) {
  EventLoop loop;
  int fired = 0;
  std::unique_ptr<WallTimer> timer;
  const std::string text(100, 'x');
  timer = std::make_unique<WallTimer>(loop, [&, text] {
    if (++fired < 3) return timer->set(now());
    timer.reset();
    if (text.size() == 100) loop.stop();
  });
  timer->set(now());
  loop.run();
  BOOST_TEST(fired == 3);
}

BOOST_AUTO_TEST_CASE(a_wall_timer_fires_when_the_clock_was_set_and_keeps_its_time) {
  EventLoop loop;
  int fired = 0;
  int cancelled_at_first = -1;
  WallTimer timer(loop, [&] {
    if (++fired == 1) cancelled_at_first = reads_cancelled;
    if (fired == 2) loop.stop();
  });
  // The kernel makes it readable then, as this time does.
  reads_cancelled = 1;
  timer.set(now() - Duration{1});
  loop.run();  // until it has fired for the set clock, and for the time itself
  BOOST_TEST(cancelled_at_first == 0);
}

BOOST_AUTO_TEST_CASE(a_clock_that_was_set_just_before_a_wall_timer_is_told_too) {
  EventLoop loop;
  int fired = 0;
  WallTimer timer(loop, [&] {
    ++fired;
    loop.stop();
  });
  settings_cancelled = 2;
  timer.set(now() + std::chrono::hours{1});
  loop.run();
  BOOST_TEST(fired == 1);
  BOOST_TEST(settings_cancelled == 0);
}

BOOST_AUTO_TEST_SUITE_END()
