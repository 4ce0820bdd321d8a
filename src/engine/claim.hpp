// Claiming: ready jobs become running.
#pragma once

#include "engine/ledger.hpp"

#include <string>
#include <vector>

namespace tq::engine {

struct ClaimRequest {
  WorkerId worker = 0;
  std::vector<std::string> queues;  // looked at strictly in this order; empty: all of them as one line
  std::vector<std::string> tasks;   // only jobs of these...
  bool tasks_are_excluded = false;  // ...or of all others
  std::size_t limit = 1;            // to begin at once
  std::size_t ahead = 0;            // besides, to wait for a slot: at most a fair share of what is ready
};

// A job as its worker gets it.
struct Claimed {
  JobId id = 0;
  model::JobRecord record;
  std::string queue;
  std::string task;
};

// Claims up to `limit` jobs: by priority, then by time due, then by id. Jobs whose deadline to start has passed become
// `expired` on the way; if those are very many, the rest is left to fire_due and nothing may be claimed. The cost does not
// depend on how many wait, nor on how many there are of tasks that were not asked for. A worker that is not registered (any
// more) gets nothing: nobody would rescue its jobs.
//
// What is claimed ahead (kAhead) is this worker's, but no attempt has begun: none is counted and nothing is logged until
// begin() is told of it. A job with a deadline to start is not claimed ahead, nor is what stands behind it.
std::vector<Claimed> claim(Ledger& ledger, const ClaimRequest& request);

// Is there anything in these queues (empty: in any) that a claim would look at? Costs less than a claim that gets nothing.
bool has_ready(const store::Transaction& txn, const std::vector<std::string>& queues);

}  // namespace tq::engine
