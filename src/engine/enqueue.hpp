// Adding jobs.
#pragma once

#include "engine/ledger.hpp"
#include "model/draft.hpp"
#include "store/blob.hpp"

#include <optional>
#include <vector>

namespace tq::engine {

// A draft whose payload is where it belongs: in the record, or on its way into a blob. Made before the transaction, so that
// the write lock is not held while a large payload goes to disk.
struct NewJob {
  model::Draft draft;
  std::optional<store::PreparedBlob> payload;  // nothing: it is in the record
};
NewJob prepare(store::Environment& environment, model::Draft draft);

// Adds the job. Throws QueueFull if its queue has its max_size: then, as after any exception, the transaction is not to be
// committed.
JobId enqueue(Ledger& ledger, NewJob job);

}  // namespace tq::engine
