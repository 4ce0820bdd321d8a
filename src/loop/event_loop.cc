#include "loop/event_loop.hpp"

#include "base/fail.hpp"
#include "loop/uv_loop.hpp"

#include <utility>

namespace tq::loop {

void check_uv(const char* operation, int code) {
  if (code < 0) base::throw_system(fmt::format("cannot {}", operation), -code);
}

void EventLoop::Impl::guarded(const std::function<void()>& callback) noexcept {
  try {
    callback();
  } catch (...) {
    if (!error) error = std::current_exception();
    uv_stop(&uv);
  }
}

void EventLoop::Impl::run_posted() {
  {
    const std::lock_guard lock(mutex);
    if (running.empty()) {
      running.swap(posted);
    } else if (!posted.empty()) {
      uv_async_send(&async);  // after what an earlier run() has left
    }
  }
  while (!running.empty()) {
    const auto next = std::move(running.front());
    running.pop_front();
    guarded(next);
    if (!error || running.empty()) continue;
    uv_async_send(&async);  // the rest is for a next run()
    return;
  }
}

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {
  check_uv("make an event loop", uv_loop_init(&impl_->uv));
  const int code = uv_async_init(&impl_->uv, &impl_->async,
                                 [](uv_async_t* async) { static_cast<Impl*>(async->data)->run_posted(); });
  if (code != 0) uv_loop_close(&impl_->uv);
  check_uv("make an event loop", code);
  impl_->async.data = impl_.get();
}

EventLoop::~EventLoop() {
  // First what was never run: it may hold what is registered here.
  for (;;) {
    impl_->running.clear();
    const std::lock_guard lock(impl_->mutex);
    impl_->running.swap(impl_->posted);
    if (impl_->running.empty()) break;
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->async), nullptr);
  const auto assert_closing = [](uv_handle_t* handle, void*) { TQ_ASSERT(uv_is_closing(handle) != 0); };
  uv_walk(&impl_->uv, assert_closing, nullptr);  // else it would be waited for, for ever
  uv_run(&impl_->uv, UV_RUN_DEFAULT);            // the close callbacks of all handles
  TQ_ASSERT(uv_loop_close(&impl_->uv) == 0);
}

void EventLoop::run() {
  uv_run(&impl_->uv, UV_RUN_DEFAULT);
  if (impl_->error) std::rethrow_exception(std::exchange(impl_->error, nullptr));
}

void EventLoop::stop() {
  post([impl = impl_.get()] { uv_stop(&impl->uv); });
}

void EventLoop::post(std::function<void()> function) {
  bool was_empty = false;
  {
    const std::lock_guard lock(impl_->mutex);
    was_empty = impl_->posted.empty();
    impl_->posted.push_back(std::move(function));
  }
  // Only the first of a batch needs to ring. libuv before 1.53 has no fence of its own in there, and may take a ring that is
  // being answered for one to come: the mutex, which the answer takes after it has marked itself, orders the two.
  if (was_empty) uv_async_send(&impl_->async);
}

}  // namespace tq::loop
