// What the classes of this folder know of each other and of libuv.
#pragma once

#include "loop/event_loop.hpp"

#include <uv.h>

#include <deque>
#include <exception>
#include <functional>
#include <mutex>

namespace tq::loop {

struct EventLoop::Impl {
  uv_loop_t uv;
  uv_async_t async;
  std::exception_ptr error;  // what a callback threw; the loop stops
  std::mutex mutex;
  std::deque<std::function<void()>> posted;

  // Runs a callback that libuv called: no exception may pass through C.
  void guarded(const std::function<void()>& callback) noexcept;
  void drain();
};

// Throws IoError for a negative return of libuv.
void check_uv(const char* operation, int code);

// A handle lives until its close callback: it is on the heap, and deletes itself there.
template <class Handle>
void close_and_delete(Handle* handle) {
  uv_close(reinterpret_cast<uv_handle_t*>(handle),
           [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
}

}  // namespace tq::loop
