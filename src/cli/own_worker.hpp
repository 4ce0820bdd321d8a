// A worker of `tq run`'s own, for as long as nobody else would run its job.
#pragma once

#include <tq/worker.hpp>

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace tq::cli {

// Sees to it that the job is run: while no worker is alive that would, this process runs jobs of its queue, one at a time, until
// the job is final. It claims nothing after it. On a thread of its own.
class OwnWorker {
 public:
  OwnWorker(TaskQueue& store, JobId job);
  // Interrupts what it runs, and waits.
  ~OwnWorker();
  OwnWorker(const OwnWorker&) = delete;
  OwnWorker& operator=(const OwnWorker&) = delete;

  // Throws what has made it give up, if anything has.
  void check() const;

 private:
  void work();
  bool is_served(const JobInfo& job) const;
  std::uint64_t run_one(const JobInfo& job);

  TaskQueue& store_;
  const JobId job_;
  mutable std::mutex mutex_;
  bool ends_ = false;         // under mutex_
  Worker* worker_ = nullptr;  // under mutex_: the one that runs now
  std::exception_ptr error_;  // under mutex_
  std::thread thread_;
};

}  // namespace tq::cli
