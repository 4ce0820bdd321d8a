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
  // What is to be said of a piece of work on the owner's thread when it has ended.
  using Report = std::function<void()>;
  using Work = std::function<Report()>;
  using Ticket = std::uint64_t;

  // So many reports are reason enough to call the owner, also while work is waiting.
  static constexpr std::size_t kBatch = 32;

  // `call` is called, on any thread of the pool, when there is a first report, when there are kBatch, and when nothing waits
  // to be begun any more; not while the owner has said that it will look by itself (hush).
  ThreadPool(std::size_t threads, std::function<void()> call);
  // Runs what was submitted, then ends the threads; does not wait for those that were given up.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Runs `work` on a thread of the pool; it must not throw.
  Ticket submit(Work work);
  // True if it has not begun, and now never will.
  bool withdraw(Ticket ticket);
  // Whoever runs this is stuck: its thread does not count any more, may be replaced, and is not waited for. Should it come
  // back after all, it is welcome if its place is still free. What has not begun yet never does.
  void give_up(Ticket ticket);
  // Runs so many at a time from now on.
  void set_limit(std::size_t threads);

  // The reports since the last call.
  std::vector<Report> take_reports();
  // How many there are to be taken, and how much waits to be begun.
  std::size_t reports() const;
  std::size_t waiting() const;
  // How much has begun, since ever.
  std::uint64_t begun() const;
  // While `on` nobody is called.
  void hush(bool on);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tq::worker
