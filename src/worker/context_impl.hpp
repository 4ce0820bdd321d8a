// What a Context is made of: shared by the attempt on the loop and the handler's thread, whichever ends first.
#pragma once

#include "base/clock.hpp"
#include "engine/enqueue.hpp"
#include "engine/finish.hpp"
#include "queue/impl.hpp"
#include "worker/mailbox.hpp"

#include <tq/context.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <new>
#include <stop_token>
#include <utility>
#include <vector>

namespace tq {

// Thread-safe.
class Context::Impl : public std::enable_shared_from_this<Context::Impl> {
 public:
  engine::RunKey key;
  std::uint32_t attempt = 0;
  std::string queue_name;
  std::string task;
  Duration timeout{0};
  std::optional<Time> deadline;  // known when it has begun
  std::stop_source stop;

  // What the handler gets.
  model::JobHeader header;
  std::string details;
  std::string payload;
  bool payload_is_blob = false;
  // What becomes of it. Written by its thread, read by the loop when that has reported.
  std::optional<engine::Outcome> outcome;

  static constexpr std::int64_t kNotYet = INT64_MIN;
  std::atomic<std::int64_t> began_ms = kNotYet;
  std::atomic<std::int64_t> ran_us = 0;

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
  // The handler's thread is about to call it, and has done so.
  void begin() {
    with_queue([&](TaskQueue::Impl& queue) {
      queue.begun().mark(key.worker, key.job);
      is_marked_ = true;
      const Time now = queue.clock->now();
      if (timeout > Duration::zero() && !deadline) deadline = now + timeout;
      began_ms = base::to_ms(now);
    });
    if (deadline) {
      mailbox->post([self = shared_from_this()] {
        if (self->on_begin) self->on_begin();
      });
    }
    began_steady_ = std::chrono::steady_clock::now();
  }
  void finish() {
    const auto ran = std::chrono::steady_clock::now() - began_steady_;
    ran_us = std::chrono::duration_cast<std::chrono::microseconds>(ran).count();
    const std::lock_guard lock(mutex_);
    unmark();
  }
  // What the handler says on its way: carried to the loop one by one.
  void say(std::function<void()> news) {
    ++unheard_;
    try {
      mailbox->post([self = shared_from_this(), news = std::move(news)] {
        --self->unheard_;
        news();
      });
    } catch (...) {
      --unheard_;  // else its end would wait for it
      throw;
    }
  }
  // On the loop, when its thread has reported: the end comes behind all that it has said.
  void tell_end() {
    if (unheard_ != 0 && tell_end_later()) return;
    if (on_end) {
      const auto end = on_end;  // a copy, since it ends in close()
      end(std::move(*outcome));
    }
  }
  void add_follow_up(engine::NewJob job) {
    const std::lock_guard lock(mutex_);
    follow_ups_.push_back(std::move(job));
  }
  std::vector<engine::NewJob> take_follow_ups() {
    const std::lock_guard lock(mutex_);
    return std::move(follow_ups_);
  }
  // The four below are set by the attempt before the handler starts, called only on the loop thread, and dropped by close().
  std::function<void(Stream, std::string)> on_output;
  std::function<void(double, std::string)> on_progress;
  std::function<void()> on_begin;
  std::function<void(engine::Outcome)> on_end;

  void open(TaskQueue::Impl& queue) { queue_ = &queue; }
  // The attempt is over. Loop thread only.
  void close() {
    on_output = nullptr;
    on_progress = nullptr;
    on_begin = nullptr;
    on_end = nullptr;
    const std::lock_guard lock(mutex_);
    unmark();
    queue_ = nullptr;
  }

 private:
  // By mutex_.
  void unmark() {
    if (queue_ != nullptr && std::exchange(is_marked_, false)) queue_->begun().unmark(key.worker, key.job);
  }

  // False if memory is short for that: then what it has said and is not heard yet, nobody will hear.
  bool tell_end_later() try {
    mailbox->post([self = shared_from_this()] { self->tell_end(); });
    return true;
  } catch (const std::bad_alloc&) {
    return false;
  }

  std::chrono::steady_clock::time_point began_steady_;
  std::atomic<int> unheard_ = 0;
  std::mutex mutex_;
  TaskQueue::Impl* queue_ = nullptr;
  bool is_marked_ = false;
  std::vector<engine::NewJob> follow_ups_;
};

}  // namespace tq
