// A way to post to a loop that may be gone by then: for threads that nobody waits for any more.
#pragma once

#include "loop/event_loop.hpp"

#include <functional>
#include <memory>
#include <mutex>

namespace tq::worker {

// Thread-safe.
class Mailbox {
 public:
  explicit Mailbox(loop::EventLoop& loop) : loop_(&loop) {}
  // Posts, unless the loop has been closed to it.
  void post(std::function<void()> function) {
    const std::lock_guard lock(mutex_);
    if (loop_ != nullptr) loop_->post(std::move(function));
  }
  // After this nothing is posted any more.
  void close() {
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
  }

 private:
  std::mutex mutex_;
  loop::EventLoop* loop_;
};

}  // namespace tq::worker
