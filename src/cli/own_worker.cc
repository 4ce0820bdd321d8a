#include "cli/own_worker.hpp"

#include <algorithm>

namespace tq::cli {
namespace {

// How long at most until it is noticed that the last other worker has left, or that a queue is no longer paused.
constexpr Duration kLookAgain = std::chrono::seconds{1};

bool contains(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

OwnWorker::OwnWorker(TaskQueue& store, JobId job) : store_(store), job_(job), thread_([this] { work(); }) {}

OwnWorker::~OwnWorker() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    if (worker_ != nullptr) worker_->stop(true);
  }
  thread_.join();
}

void OwnWorker::check() const {
  const std::lock_guard lock(mutex_);
  if (error_) std::rethrow_exception(error_);
}

void OwnWorker::work() {
  try {
    for (;;) {
      const auto job = store_.get(job_);
      if (!job || is_final(job->state)) return;
      {
        const std::lock_guard lock(mutex_);
        if (ends_) return;
      }
      // Nothing to run: it is not due, its queue is paused, or somebody else has it.
      if (is_served(*job) || run_one(*job) == 0) store_.wait(job_, kLookAgain);
    }
  } catch (...) {
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
  }
}

bool OwnWorker::is_served(const JobInfo& job) const {
  const auto workers = store_.workers();
  return std::any_of(workers.begin(), workers.end(), [&](const WorkerInfo& worker) {
    const bool takes_queue = worker.queues.empty() || contains(worker.queues, job.queue);
    return worker.alive && !worker.stopping && takes_queue && contains(worker.tasks, job.task);
  });
}

std::uint64_t OwnWorker::run_one(const JobInfo& job) {
  WorkerOptions options;
  options.queues = {job.queue};
  options.commands = true;
  options.once = true;
  options.own_process = true;
  Worker worker(store_, options);
  {
    const std::lock_guard lock(mutex_);
    if (ends_) return 0;
    worker_ = &worker;
  }
  const auto forget = [this] {
    const std::lock_guard lock(mutex_);
    worker_ = nullptr;
  };
  try {
    const std::uint64_t attempts = worker.run();
    forget();
    return attempts;
  } catch (...) {
    forget();
    throw;
  }
}

}  // namespace tq::cli
