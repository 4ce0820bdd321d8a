// What a worker does, said line by line.
#pragma once

#include "cli/session.hpp"

#include <tq/worker.hpp>

#include <atomic>
#include <thread>
#include <vector>

namespace tq::cli {

// While it lives, a line goes to stderr for each start and end of a job on that worker. Has a thread of its own, which sleeps
// until something happens.
class WorkerReport {
 public:
  WorkerReport(const Session& session, const TaskQueue& store, const Worker& worker);
  ~WorkerReport();
  WorkerReport(const WorkerReport&) = delete;
  WorkerReport& operator=(const WorkerReport&) = delete;

 private:
  void watch(EventSeq after);
  void take(std::vector<Event> events, bool is_last);
  void say(const Event& event);

  const Session& session_;
  const TaskQueue& store_;
  const Worker& worker_;
  WorkerId self_ = 0;
  std::vector<Event> early_;  // came before it was known who it is
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

}  // namespace tq::cli
