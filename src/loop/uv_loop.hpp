// What the classes of this folder know of each other and of libuv.
#pragma once

#include "loop/event_loop.hpp"

#include <uv.h>

#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <utility>

namespace tq::loop {

// Throws IoError for a negative return of libuv.
void check_uv(const char* operation, int code);

struct EventLoop::Impl {
  uv_loop_t uv{};
  uv_async_t async{};        // rings when `posted` has something
  std::exception_ptr error;  // what a callback threw; the loop stops

  std::mutex mutex;
  std::deque<std::function<void()>> posted;   // by `mutex`
  std::deque<std::function<void()>> running;  // by the loop's thread; taking what is posted must need no memory

  // Runs a callback that libuv called: no exception may pass through C.
  void guarded(const std::function<void()>& callback) noexcept;
  void run_posted();
};

// A handle of libuv with its callback. libuv holds on to it until its close callback has run: so it lives on the heap and
// deletes itself there, after close(). Then its owner may close it in its own callback.
template <class Uv>
struct Handle {
  Uv uv{};
  EventLoop::Impl& loop;
  std::function<void()> callback;
  bool is_calling = false;

  Handle(EventLoop& owner, std::function<void()> called) : loop(owner.impl()), callback(std::move(called)) {
    uv.data = this;
  }
  static Handle& of(Uv* handle) { return *static_cast<Handle*>(handle->data); }

  void call() noexcept {
    is_calling = true;
    loop.guarded(callback);
    is_calling = false;
  }
  void close() {
    // What the callback holds goes now, unless it is running.
    if (!is_calling) callback = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(&uv),
             [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
  }
};

}  // namespace tq::loop
