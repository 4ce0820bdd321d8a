// Concurrent callers that share one piece of work: whoever arrives while it is being done for others is in the next round,
// together with all who have arrived by then. The first of a round does it for all of them; no thread of its own is needed.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace tq::base {

// Thread-safe.
template <class Item>
class Gathering {
 public:
  // Has `serve(items)` done for a round that `item` belongs to, by this thread or another one; one round at a time. What
  // it throws is thrown to all of the round.
  template <class Serve>
  void join(Item& item, Serve&& serve) {
    const auto [round, leads] = arrive(item);
    if (leads) {
      try {
        serve(std::span<Item* const>(round->items));
      } catch (...) {
        round->error = std::current_exception();
      }
      leave(*round);
    } else {
      round->done.wait(false);
    }
    if (round->error) std::rethrow_exception(round->error);
  }

 private:
  struct Round {
    std::vector<Item*> items;
    std::exception_ptr error;
    std::atomic<bool> done = false;
  };

  // When it leads, all others that belong to the round have arrived.
  std::pair<std::shared_ptr<Round>, bool> arrive(Item& item) {
    std::unique_lock lock(mutex_);
    if (!arriving_) arriving_ = std::make_shared<Round>();
    std::shared_ptr<Round> round = arriving_;
    round->items.push_back(&item);
    if (round->items.size() > 1) return {std::move(round), false};
    turn_.wait(lock, [&] { return !serving_; });
    serving_ = true;
    arriving_.reset();
    return {std::move(round), true};
  }

  void leave(Round& round) {
    {
      const std::lock_guard lock(mutex_);
      serving_ = false;
    }
    turn_.notify_one();
    if (round.items.size() == 1) return;
    round.done.store(true);
    round.done.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable turn_;
  bool serving_ = false;             // by mutex_
  std::shared_ptr<Round> arriving_;  // by mutex_; its first waits for its turn
};

}  // namespace tq::base
