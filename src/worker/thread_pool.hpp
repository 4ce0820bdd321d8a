// Threads for handlers. Made when they are needed, up to as many as were asked for; one that is stuck in a handler that will
// not end can be given up and replaced.
//
// Work that waits is begun by whichever thread is free, without asking anybody; what has ended is reported in batches. So
// short handlers cost the loop no round trip each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace tq::worker {

// Thread-safe.
class ThreadPool {
 public:
  struct Work {
    virtual ~Work() = default;
    // On a thread of the pool. Must not throw.
    virtual void run() = 0;
    // On the owner's thread, when it has ended and the owner takes reports.
    virtual void report() = 0;
  };
  using Ticket = std::uint64_t;

  // So many reports are reason enough to call the owner, also while work is waiting.
  static constexpr std::size_t kBatch = 128;

  // `call` is called, on any thread of the pool, for a first report, for each kBatch, and for those that come while nothing
  // waits to be begun.
  ThreadPool(std::size_t threads, std::function<void()> call);
  // Runs what was submitted, then ends the threads; does not wait for those that were given up.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  Ticket submit(std::shared_ptr<Work> work);
  // While `on`, what is submitted wakes a thread only now and then: many pieces one after the other cost less so.
  void gather(bool on);
  // True if it has not begun, and now never will.
  bool withdraw(Ticket ticket);
  // Whoever runs this is stuck: its thread does not count any more, may be replaced, and is not waited for. Should it come
  // back after all, it is welcome if its place is still free. What has not begun yet never does.
  void give_up(Ticket ticket);
  // Runs so many at a time from now on.
  void set_limit(std::size_t threads);

  // What has ended since the last call, for its report.
  std::vector<std::shared_ptr<Work>> take_reports();
  // How many there are to be taken, and how much waits to be begun.
  std::size_t reports() const;
  std::size_t waiting() const;
  // How much has begun, since ever.
  std::uint64_t begun() const;
  // While `on`, the owner will look by itself before long: it is not called for a first report. Calls for those that there
  // are when it ends.
  void hush(bool on);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tq::worker
