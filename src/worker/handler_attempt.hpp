// An attempt that is a handler: a function on a thread of the pool.
#pragma once

#include "worker/attempt.hpp"
#include "worker/mailbox.hpp"
#include "worker/thread_pool.hpp"

#include <tq/worker.hpp>

#include <memory>

namespace tq::worker {

// Loop thread only. The pool must outlive it. What the thread needs is shared with it, because a thread cannot be killed:
// if the handler ignores its stop token past the grace, the attempt ends without it, and what it returns later is dropped.
class HandlerAttempt : public Attempt {
 public:
  // `stuck` is told when a handler was given up.
  HandlerAttempt(loop::EventLoop& loop, engine::Claimed claimed, WorkerId worker, std::uint64_t log_limit_bytes,
                 ThreadPool& pool, std::shared_ptr<Mailbox> mailbox, TaskQueue::Impl& queue,
                 std::shared_ptr<const Handler> handler);
  ~HandlerAttempt() override;

  bool withdraw() override;
  std::optional<Time> began() const override;
  std::chrono::microseconds ran_for() const override;

 private:
  void start() override;
  void ask_to_stop(int signal) override;
  void force() override;

  ThreadPool& pool_;
  ThreadPool::Ticket ticket_ = 0;
  class Call;
  std::shared_ptr<Call> call_;
};

}  // namespace tq::worker
