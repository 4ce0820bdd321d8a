// What happens because time passes: waiting jobs become ready, deadlines to start pass, retention ends.
#pragma once

#include "engine/ledger.hpp"

#include <cstddef>
#include <optional>

namespace tq::engine {

// Makes up to `limit` jobs ready whose time has come, and expires up to `limit` whose deadline to start has passed, the oldest
// first. Up to `limit` jobs that wait for some length of time, and would have to wait longer because the clock has been set
// back, wait anew. Returns the largest of these numbers; `limit` or more: there may be more left.
std::size_t fire_due(Ledger& ledger, std::size_t limit);

// Removes up to `limit` final jobs, and up to `limit` events, that have been kept long enough. Returns the number of jobs; a
// return below `limit` with `more` false: nothing is left to remove now.
struct Collected {
  std::size_t jobs = 0;
  bool more = false;
};
Collected collect(Ledger& ledger, std::size_t limit);

// When fire_due has something to do next; nothing: never, as things are.
std::optional<Time> next_due(const store::Transaction& txn);
// When collect has a job to remove next.
std::optional<Time> next_keep(const store::Transaction& txn);

}  // namespace tq::engine
