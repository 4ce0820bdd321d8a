// Work ahead: jobs that are claimed and wait for a slot, so that the next one starts at once and not after a commit. About
// kHorizon of work, measured by how long attempts have been taking; none before that is known, and none of long ones.
// Commands wait here; handlers wait in the pool, whose threads begin them without asking.
#pragma once

#include "engine/claim.hpp"

#include <tq/types.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <vector>

namespace tq::worker {

// Loop thread only.
class Ahead {
 public:
  // A job that has waited so long is given back: others may have slots.
  static constexpr Duration kPatience{50};

  explicit Ahead(std::size_t concurrency) : concurrency_(concurrency) {}

  // How many more should be claimed now, with so many waiting elsewhere already.
  std::size_t wanted(std::size_t waiting) const;
  // An attempt took so long.
  void ran(std::chrono::microseconds time);
  // They have waited too long: none are wanted until attempts have become short again.
  void stalled();

  bool empty() const { return jobs_.empty(); }
  void push(engine::Claimed job) { jobs_.push_back(std::move(job)); }
  engine::Claimed pop();
  // All that are left, in their order.
  std::vector<engine::Claimed> take_all();
  const std::deque<engine::Claimed>& jobs() const { return jobs_; }
  // Takes out the one of that id, which must be there.
  engine::Claimed take(JobId id);

 private:
  std::size_t concurrency_;
  double average_us_ = 0;  // of the last attempts, the newest counting most; 0: not known
  std::deque<engine::Claimed> jobs_;
};

}  // namespace tq::worker
