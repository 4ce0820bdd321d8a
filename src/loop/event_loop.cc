#include "loop/event_loop.hpp"

#include "base/fail.hpp"
#include "loop/uv_loop.hpp"

#include <deque>
#include <mutex>
#include <utility>

namespace tq::loop {

void check_uv(const char* operation, int code) {
  if (code < 0) base::throw_system(fmt::format("event loop: cannot {}", operation), -code);
}

void EventLoop::Impl::guarded(const std::function<void()>& callback) noexcept {
  try {
    callback();
  } catch (...) {
    if (!error) error = std::current_exception();
    uv_stop(&uv);
  }
}

void EventLoop::Impl::drain() {
  std::deque<std::function<void()>> batch;
  {
    const std::lock_guard lock(mutex);
    batch.swap(posted);
  }
  while (!batch.empty()) {
    const auto next = std::move(batch.front());
    batch.pop_front();
    guarded(next);
    if (!error) continue;
    // What was not run stays, in its order, for a next run().
    const std::lock_guard lock(mutex);
    posted.insert(posted.begin(), std::make_move_iterator(batch.begin()), std::make_move_iterator(batch.end()));
    return;
  }
}

EventLoop::EventLoop() : impl_(std::make_unique<Impl>()) {
  check_uv("be made", uv_loop_init(&impl_->uv));
  check_uv("make its signal", uv_async_init(&impl_->uv, &impl_->async,
                                            [](uv_async_t* async) { static_cast<Impl*>(async->data)->drain(); }));
  impl_->uv.data = impl_.get();
  impl_->async.data = impl_.get();
}

EventLoop::~EventLoop() {
  uv_close(reinterpret_cast<uv_handle_t*>(&impl_->async), nullptr);
  uv_run(&impl_->uv, UV_RUN_DEFAULT);  // the close callbacks of all handles
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
  // Only the first of a batch needs to ring. libuv before 1.53 may lose a send that races with its callback unless the
  // queue was filled before: the mutex orders that.
  if (was_empty) uv_async_send(&impl_->async);
}

}  // namespace tq::loop
