// A store with a worker of this process, and what its handlers need to tell a test.
#pragma once

#include "queue/impl.hpp"
#include "queue/stores.hpp"
#include "support/marked.hpp"
#include "support/process.hpp"

#include <tq/worker.hpp>

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <semaphore>
#include <stdexcept>

namespace tq::test {

// Counts what happened, for another thread to wait for. Thread-safe.
class Signal {
 public:
  void give() { count_.release(); }
  // Throws if it does not come.
  void take() {
    if (!count_.try_acquire_for(kPatience)) throw std::runtime_error("a signal did not come");
  }
  void take(int count) {
    for (int i = 0; i < count; ++i) take();
  }
  // Is there one now?
  bool has_come() { return count_.try_acquire(); }

 private:
  std::counting_semaphore<> count_{0};
};

// Sleeps until the attempt is asked to stop.
inline void until_asked_to_stop(Context& context) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, context.stop_token(), [] { return false; });
}

class Workshop {
 public:
  explicit Workshop(const OpenOptions& options = {}) : store(options) {}
  ~Workshop() {
    for (auto& worker : workers_) {
      worker->stop(true);
      worker->join();
    }
  }

  FileStore store;
  TaskQueue& queue = store.queue;

  // For every worker made from now on.
  void handle(const std::string& task, Handler handler) { handlers_[task] = std::move(handler); }
  // A worker with the handlers.
  std::unique_ptr<Worker> make(const WorkerOptions& options = {}) {
    auto worker = std::make_unique<Worker>(queue, options);
    for (const auto& [task, handler] : handlers_) worker->handle(task, handler);
    return worker;
  }
  // One that runs until the end of the test, or until somebody stops it.
  Worker& start(const WorkerOptions& options = {}) {
    workers_.push_back(make(options));
    workers_.back()->start();
    return *workers_.back();
  }
  // Runs what there is to be run, in this thread.
  std::uint64_t drain(WorkerOptions options = {}) {
    options.drain = true;
    return make(options)->run();
  }

  JobId add(const EnqueueOptions& options = {}, std::string payload = {}) {
    return queue.enqueue("work", {"raw", std::move(payload)}, options);
  }
  // Waits for the job to be over.
  Result end(JobId id) {
    auto result = queue.wait(id, kPatience);
    if (!result) throw std::runtime_error("job " + std::to_string(id) + " does not end");
    return std::move(*result);
  }
  JobInfo info(JobId id) { return queue.get(id).value(); }
  // The types of the job's events in a row.
  std::string history(JobId id) { return types(queue.events({.job = id})); }
  // Waits for an event of this type about the job, after the one of number `after`.
  Event event(JobId id, EventType type, EventSeq after = 0) {
    for (EventSeq last = 0;;) {
      const auto events = queue.events({.after = after, .job = id, .types = {type}});
      if (!events.empty()) return events.front();
      const EventSeq newest = queue.wait_events(last, kPatience);
      if (newest == last) throw std::runtime_error("no such event of job " + std::to_string(id));
      last = newest;
    }
  }
  // Waits until it holds, looking whenever somebody rings for one of the topics.
  template <class Condition>
  void await(loop::Topics topics, Condition holds) {
    loop::Doorbell& bell = *queue.impl().bell;
    for (;;) {
      const std::uint32_t ticket = bell.ticket();
      if (holds()) return;
      if (!bell.wait(ticket, topics, kPatience)) throw std::runtime_error("what was awaited does not come");
    }
  }
  // Its output as one text.
  std::string output(JobId id, std::optional<Stream> stream = {}) {
    std::string text;
    for (const LogChunk& chunk : queue.log(id, 0, 1u << 30)) {
      if (!stream || chunk.stream == *stream) text += chunk.bytes;
    }
    return text;
  }
  // Waits until its output has this in it.
  void await_output(JobId id, const std::string& text) {
    while (output(id).find(text) == std::string::npos) {
      const auto chunks = queue.log(id);
      const std::uint64_t last = chunks.empty() ? 0 : chunks.back().seq;
      if (!queue.wait_log(id, last, kPatience)) throw std::runtime_error("no such output");
      if (queue.result(id) && output(id).find(text) == std::string::npos) {
        throw std::runtime_error("job " + std::to_string(id) + " ended without such output");
      }
    }
  }

 private:
  std::map<std::string, Handler> handlers_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace tq::test
