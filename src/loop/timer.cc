#include "loop/timer.hpp"

#include "base/clock.hpp"
#include "base/fail.hpp"
#include "base/fd.hpp"
#include "loop/uv_loop.hpp"
#include "loop/watch.hpp"

#include <algorithm>
#include <cerrno>
#include <sys/timerfd.h>
#include <unistd.h>

namespace tq::loop {

struct Timer::Impl {
  EventLoop::Impl& loop;
  std::function<void()> fire;
  uv_timer_t* timer;
};

Timer::Timer(EventLoop& loop, std::function<void()> fire)
    : impl_(std::make_unique<Impl>(loop.impl(), std::move(fire), new uv_timer_t)) {
  uv_timer_init(&impl_->loop.uv, impl_->timer);
  impl_->timer->data = impl_.get();
}

Timer::~Timer() {
  uv_timer_stop(impl_->timer);
  close_and_delete(impl_->timer);
}

void Timer::start(Duration after) {
  const auto milliseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(after.count(), 0));
  uv_update_time(&impl_->loop.uv);  // else it would count from the start of this round of callbacks
  uv_timer_start(
      impl_->timer,
      [](uv_timer_t* timer) {
        auto* impl = static_cast<Impl*>(timer->data);
        const std::function<void()> fire = impl->fire;  // a copy, since it may destroy its timer
        impl->loop.guarded(fire);
      },
      milliseconds, 0);
}

void Timer::cancel() { uv_timer_stop(impl_->timer); }

struct WallTimer::Impl {
  base::Fd fd;
  std::optional<Time> when;
  std::function<void()> fire;
  std::unique_ptr<Watch> watch;

  void arm() {
    // Never: the end of time, so that a set clock is still noticed.
    const std::int64_t ms = when ? std::max<std::int64_t>(base::to_ms(*when), 1) : std::int64_t{1} << 42;
    itimerspec at{};
    at.it_value.tv_sec = ms / 1000;
    at.it_value.tv_nsec = ms % 1000 * 1'000'000;
    if (::timerfd_settime(fd.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr) != 0) {
      base::throw_system("cannot set a timer", errno);
    }
  }

  void readable() {
    std::uint64_t times = 0;
    const ssize_t got = ::read(fd.get(), &times, sizeof times);
    if (got < 0 && errno == ECANCELED) {
      arm();  // somebody set the clock: the timer stays, and the owner looks again
    } else if (got < 0) {
      return;
    } else {
      when.reset();
      arm();
    }
    const std::function<void()> callback = fire;  // a copy, since it may destroy its timer
    callback();
  }
};

WallTimer::WallTimer(EventLoop& loop, std::function<void()> fire) : impl_(std::make_unique<Impl>()) {
  impl_->fire = std::move(fire);
  impl_->fd = base::Fd(::timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!impl_->fd) base::throw_system("cannot make a timer", errno);
  impl_->arm();
  impl_->watch = std::make_unique<Watch>(loop, impl_->fd.get(), [impl = impl_.get()] { impl->readable(); });
}

WallTimer::~WallTimer() = default;

void WallTimer::set(std::optional<Time> when) {
  if (when == impl_->when) return;
  impl_->when = when;
  impl_->arm();
}

}  // namespace tq::loop
