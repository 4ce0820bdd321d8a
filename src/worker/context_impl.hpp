// What a Context is made of: shared by the attempt on the loop and the handler's thread, whichever ends first.
#pragma once

#include "engine/enqueue.hpp"
#include "engine/finish.hpp"
#include "queue/impl.hpp"
#include "worker/mailbox.hpp"

#include <tq/context.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <vector>

namespace tq {

// Thread-safe.
class Context::Impl : public std::enable_shared_from_this<Context::Impl> {
 public:
  engine::RunKey key;
  std::uint32_t attempt = 0;
  std::string queue_name;
  std::string task;
  std::optional<Time> deadline;
  std::stop_source stop;

  std::shared_ptr<worker::Mailbox> mailbox;

  // Runs `use` with the queue, unless the attempt has ended: a handler that was given up must not touch what may be gone.
  template <class Use>
  auto with_queue(Use&& use) {
    const std::lock_guard lock(mutex_);
    if (queue_ == nullptr) {
      base::fail<Conflict>("the attempt of job {} has ended: its handler was given up", key.job);
    }
    return use(*queue_);
  }
  void add_follow_up(engine::NewJob job) {
    const std::lock_guard lock(mutex_);
    follow_ups_.push_back(std::move(job));
  }
  std::vector<engine::NewJob> take_follow_ups() {
    const std::lock_guard lock(mutex_);
    return std::move(follow_ups_);
  }
  // The three below are set by the attempt before the handler starts, called only on the loop thread, and dropped by close().
  std::function<void(Stream, std::string)> on_output;
  std::function<void(double, std::string)> on_progress;
  std::function<void(engine::Outcome)> on_end;

  void open(TaskQueue::Impl& queue) { queue_ = &queue; }
  // The attempt is over. Loop thread only.
  void close() {
    on_output = nullptr;
    on_progress = nullptr;
    on_end = nullptr;
    const std::lock_guard lock(mutex_);
    queue_ = nullptr;
  }

 private:
  std::mutex mutex_;
  TaskQueue::Impl* queue_ = nullptr;
  std::vector<engine::NewJob> follow_ups_;
};

}  // namespace tq
