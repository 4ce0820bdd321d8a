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
namespace {

constexpr std::int64_t kEndOfTimeMs = std::int64_t{1} << 42;  // the year 2109

}  // namespace

struct Timer::Impl {
  EventLoop& loop;
  std::function<void()> fire;            // until there is a handle
  Handle<uv_timer_t>* handle = nullptr;  // most timers are never started

  void make_handle() {
    handle = new Handle<uv_timer_t>(loop, std::move(fire));
    uv_timer_init(&loop.impl().uv, &handle->uv);
  }
};

Timer::Timer(EventLoop& loop, std::function<void()> fire) : impl_(std::make_unique<Impl>(loop, std::move(fire))) {}

Timer::~Timer() {
  if (impl_->handle != nullptr) impl_->handle->close();
}

void Timer::start(Duration after) {
  if (impl_->handle == nullptr) impl_->make_handle();
  // libuv counts whole milliseconds since some time in the current one: one more, so as never to be early.
  const auto ms = after.count() <= 0 ? 0 : static_cast<std::uint64_t>(after.count()) + 1;
  uv_update_time(&impl_->handle->loop.uv);  // else it would count from the start of this round of callbacks
  uv_timer_start(
      &impl_->handle->uv, [](uv_timer_t* timer) { Handle<uv_timer_t>::of(timer).call(); }, ms, 0);
}

void Timer::cancel() {
  if (impl_->handle != nullptr) uv_timer_stop(&impl_->handle->uv);
}

struct WallTimer::Impl {
  base::Fd fd;
  std::optional<Time> when;
  std::function<void()> fire;
  std::unique_ptr<Watch> watch;

  void arm() {
    // Never: the end of time, so that a set clock is still noticed.
    std::int64_t ms = when ? std::clamp<std::int64_t>(base::to_ms(*when), 1, kEndOfTimeMs) : kEndOfTimeMs;
    itimerspec at{};
    do {
      at.it_value.tv_sec = ms / 1000;
      at.it_value.tv_nsec = ms % 1000 * 1'000'000;
      ms = 1;  // the clock has been set before this: at once, so that the owner looks again
    } while (::timerfd_settime(fd.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr) != 0 &&
             errno == ECANCELED);
  }

  void readable() {
    std::uint64_t times = 0;
    const ssize_t got = ::read(fd.get(), &times, sizeof times);
    const bool clock_was_set = got < 0 && errno == ECANCELED;
    if (got < 0 && !clock_was_set) return;
    if (!clock_was_set) when.reset();
    arm();
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
