// tq::Worker: the public face of a Run.
#include <tq/worker.hpp>

#include "base/fail.hpp"
#include "base/text.hpp"
#include "base/thread.hpp"
#include "worker/run.hpp"

#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

namespace tq {

class Worker::Impl {
 public:
  Impl(TaskQueue::Impl& queue_impl, WorkerOptions worker_options)
      : queue(queue_impl), options(std::move(worker_options)) {}

  std::uint64_t run() {
    loop::EventLoop loop;
    worker::Run run(queue, options, handlers, loop);
    const Current current(*this, loop, run);
    return run.run();
  }

  void stop(bool now) {
    const std::lock_guard lock(mutex_);
    if (current_run_ == nullptr) {
      stop_before_run_ = stop_before_run_.value_or(false) || now;
    } else {
      tell_to_stop(*current_run_, *current_loop_, now);
    }
  }

  TaskQueue::Impl& queue;
  const WorkerOptions options;
  worker::Handlers handlers;
  std::atomic<WorkerId> id = 0;

  std::thread thread;  // of start()
  std::uint64_t attempts = 0;
  std::exception_ptr error;

 private:
  static void tell_to_stop(worker::Run& run, loop::EventLoop& loop, bool now) {
    run.claim_no_more();
    loop.post([&run, now] { run.stop(now); });
  }

  // While it lives, stop() finds the run.
  class Current {
   public:
    Current(Impl& impl, loop::EventLoop& loop, worker::Run& run) : impl_(impl) {
      const std::lock_guard lock(impl_.mutex_);
      impl_.current_loop_ = &loop;
      impl_.current_run_ = &run;
      impl_.id = run.id();
      if (impl_.stop_before_run_) tell_to_stop(run, loop, *impl_.stop_before_run_);
    }
    ~Current() {
      const std::lock_guard lock(impl_.mutex_);
      impl_.current_loop_ = nullptr;
      impl_.current_run_ = nullptr;
      impl_.stop_before_run_.reset();
      impl_.id = 0;
    }
    Current(const Current&) = delete;
    Current& operator=(const Current&) = delete;

   private:
    Impl& impl_;
  };

  std::mutex mutex_;
  loop::EventLoop* current_loop_ = nullptr;
  worker::Run* current_run_ = nullptr;
  std::optional<bool> stop_before_run_;  // a stop that came before run(): not to be lost
};

namespace {

void check(const WorkerOptions& options) {
  if (options.concurrency < 1 || options.concurrency > 1024) {
    base::fail<InvalidArgument>("concurrency: {} is not between 1 and 1024", options.concurrency);
  }
  if (options.max_crashes < 1) base::fail<InvalidArgument>("max_crashes: must be at least 1");
  for (const auto& [name, value] :
       {std::pair{"shutdown_grace", options.shutdown_grace}, std::pair{"kill_grace", options.kill_grace}}) {
    if (value < Duration::zero() || value > kMaxDuration) {
      base::fail<InvalidArgument>("{}: {} ms is not between 0 and {} ms", name, value.count(), kMaxDuration.count());
    }
  }
  for (const std::string& queue : options.queues) base::check_name("queue", queue);
}

}  // namespace

Worker::Worker(TaskQueue& queue, WorkerOptions options) {
  check(options);
  impl_ = std::make_unique<Impl>(queue.impl(), std::move(options));
}

Worker::~Worker() {
  if (!impl_->thread.joinable()) return;
  stop(true);
  impl_->thread.join();
}

void Worker::handle(std::string_view task, Handler handler) {
  base::check_name("task", task);
  const bool is_built_in = task == kExecTask && impl_->options.commands;
  auto shared = std::make_shared<const Handler>(std::move(handler));
  if (is_built_in || !impl_->handlers.emplace(task, std::move(shared)).second) {
    base::fail<Conflict>("task '{}' has a handler already", task);
  }
}

std::uint64_t Worker::run() { return impl_->run(); }

void Worker::start() {
  TQ_ASSERT(!impl_->thread.joinable());
  impl_->error = nullptr;
  impl_->thread = base::start_thread([impl = impl_.get()] {
    try {
      impl->attempts = impl->run();
    } catch (...) {
      impl->error = std::current_exception();
    }
  });
}

std::uint64_t Worker::join() {
  if (!impl_->thread.joinable()) return 0;
  impl_->thread.join();
  if (impl_->error) std::rethrow_exception(impl_->error);
  return impl_->attempts;
}

void Worker::stop(bool now) { impl_->stop(now); }

WorkerId Worker::id() const { return impl_->id; }

}  // namespace tq
