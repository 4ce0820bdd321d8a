// The event loop: libuv behind small classes, one a file. Loop thread only, but where a method says otherwise.
#pragma once

#include <functional>
#include <memory>

namespace tq::loop {

// Owns a uv_loop_t. The thread that calls run() is the loop thread until run() returns; before the first run() the thread
// that made it counts as one. Everything registered with it (timers, watches) must be gone before it is destroyed.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Runs until stop(). An exception thrown by a callback ends it and is thrown here.
  void run();
  // Lets run() return after the callbacks under way. Any thread.
  void stop();
  // Runs `function` on the loop thread soon, in the order of posting. Any thread. What is posted and never run, because
  // the loop was not run again, is destroyed with the loop.
  void post(std::function<void()> function);

  struct Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tq::loop
