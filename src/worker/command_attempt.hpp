// An attempt that is a command: a child of the guard.
#pragma once

#include "loop/guard.hpp"
#include "worker/attempt.hpp"

namespace tq::worker {

// Loop thread only. The guard must outlive it.
class CommandAttempt : public Attempt {
 public:
  // `store_path` is what the command sees as TQ_FILE. Throws Damaged or CodecError from start() if the payload is no command.
  CommandAttempt(loop::EventLoop& loop, engine::Claimed claimed, WorkerId worker, std::uint64_t log_limit_bytes,
                 loop::Guard& guard, TaskQueue::Impl& queue);
  ~CommandAttempt() override;

  std::optional<Time> began() const override { return began_; }
  std::chrono::microseconds ran_for() const override;

 private:
  void start() override;
  void ask_to_stop(int signal) override;
  void force() override;
  void ended(const loop::ChildExit& exit);
  engine::Outcome outcome_of(const loop::ChildExit& exit) const;

  loop::Guard& guard_;
  TaskQueue::Impl& queue_;
  loop::ChildId child_ = 0;
  Time began_{};
  std::chrono::steady_clock::time_point began_steady_;
  loop::Timer failed_start_;  // reports from outside begin()
  engine::Outcome start_failure_;
};

}  // namespace tq::worker
