// Threads for handlers. Made when they are needed, up to as many as were asked for; one that is stuck in a handler that will
// not end can be given up and replaced.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace tq::worker {

// Thread-safe.
class ThreadPool {
 public:
  explicit ThreadPool(std::size_t threads);
  // Runs what was submitted, then ends the threads; does not wait for those that were given up.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  using Ticket = std::uint64_t;
  // Runs `work` on a thread of the pool; it must not throw.
  Ticket submit(std::function<void()> work);
  // Whoever runs this is stuck: its thread does not count any more, may be replaced, and is not waited for. Should it come
  // back after all, it is welcome if its place is still free. What has not begun yet never does.
  void give_up(Ticket ticket);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tq::worker
