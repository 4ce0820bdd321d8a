// What jobs write: kept per job as a head that is never dropped and a tail that moves on, with a gap between them once there
// is more than the limit.
#pragma once

#include "engine/finish.hpp"
#include "engine/ledger.hpp"

#include <string>
#include <vector>

namespace tq::engine {

struct Piece {
  Time time{};
  Stream stream{};
  std::string bytes;
};

// Adds output of an attempt, in the order given; `skipped_bytes` of it were never handed over (they came faster than anybody
// could keep them) and count as dropped before the first piece. `limit_bytes` is what a job keeps over all its attempts. False: this
// claim does not hold the job any more, and nothing was added.
bool append_output(Ledger& ledger, const RunKey& key, const std::vector<Piece>& pieces, std::uint64_t skipped_bytes,
                   std::uint64_t limit_bytes);

// Output from number `after` on (exclusive), at most about `max_bytes`; where bytes were dropped there is a chunk of the
// stream `note` that says how many, under the number of the last piece before the gap.
std::vector<LogChunk> output(const store::Transaction& txn, const model::JobHeader& header, JobId job,
                             std::uint64_t after, std::size_t max_bytes);

}  // namespace tq::engine
