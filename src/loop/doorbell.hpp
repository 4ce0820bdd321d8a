// The doorbell between processes: `jobs.tq-bell`, one page of shared memory with a counter that waiters sleep on (futex).
//
// Who changes something commits, then rings; who waits reads the counter, looks at the store, then sleeps unless the counter
// has moved: no ring is lost, and ringing costs a few nanoseconds while nobody sleeps. A ring names its topics, and wakes only
// sleepers that asked for one of them. The page holds no truth: if it is lost, sleepers only sleep longer.
#pragma once

#include "base/shared_map.hpp"

#include <tq/types.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tq::loop {

// A set of topics as bits.
using Topics = std::uint32_t;
inline constexpr Topics kTopicFinal = 1u << 0;    // some job became final, or was removed
inline constexpr Topics kTopicLog = 1u << 1;      // some job has output
inline constexpr Topics kTopicEvents = 1u << 2;   // any event
inline constexpr Topics kTopicWorkers = 1u << 3;  // a worker came, went or is to look up (cancel, pause, retry)
inline constexpr Topics kTopicAnyQueue = 0xffffff00u;
// The topic of work in one queue: queues share 24 bits.
constexpr Topics topic_of_queue(std::uint32_t queue) { return 1u << (8 + queue % 24); }

// Thread-safe.
class Doorbell {
 public:
  // Maps the file, making it if need be (0600). An empty path makes a private one for this process.
  explicit Doorbell(const std::string& path);
  ~Doorbell();
  Doorbell(const Doorbell&) = delete;
  Doorbell& operator=(const Doorbell&) = delete;

  // To be read before looking at the store.
  std::uint32_t ticket() const;
  // How often kTopicWorkers was rung: tells whoever was woken whether that has to do with it.
  std::uint32_t worker_rings() const;
  void ring(Topics topics);
  // Sleeps until somebody rings one of `topics`, the counter is not `ticket` any more, or
  // `timeout` (monotonic) passed. Spurious returns are allowed: look again. False: time-out.
  bool wait(std::uint32_t ticket, Topics topics, Duration timeout = Duration::max());

  struct Page;

 private:
  const base::SharedMap map_;
  Page* const page_;
};

// A thread that sleeps on the bell for an owner that sleeps elsewhere (a loop): calls `rung` on that thread after each ring
// of one of `topics`. Rings while `rung` runs are not lost: it is called again.
class BellThread {
 public:
  BellThread(Doorbell& bell, Topics topics, std::function<void()> rung);
  // Ends the thread; `rung` is not called any more when it returns.
  ~BellThread();
  BellThread(const BellThread&) = delete;
  BellThread& operator=(const BellThread&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tq::loop
