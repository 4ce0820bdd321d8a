// A mutex that serves in the order of arrival: a thread that commits in a loop must not starve the others.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

namespace tq::store {

// Thread-safe. Unlocked by the thread that locked it.
class FairMutex {
 public:
  void lock() {
    std::unique_lock lock(mutex_);
    if (!held_) {
      held_ = true;
      return;
    }
    Waiter self;
    waiters_.push_back(&self);
    self.turn.wait(lock, [&] { return self.has_turn; });
  }

  // Hands over to the first who waits.
  void unlock() {
    const std::lock_guard lock(mutex_);
    if (waiters_.empty()) {
      held_ = false;
      return;
    }
    Waiter& next = *waiters_.front();
    waiters_.pop_front();
    next.has_turn = true;
    next.turn.notify_one();
  }

 private:
  struct Waiter {
    std::condition_variable turn;
    bool has_turn = false;
  };

  std::mutex mutex_;
  bool held_ = false;            // by mutex_
  std::deque<Waiter*> waiters_;  // by mutex_
};

}  // namespace tq::store
