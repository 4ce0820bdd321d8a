// The intake between processes that add jobs and the next transaction: what needs nothing of the store but the numbers of
// its names.
#pragma once

#include "engine/ledger.hpp"
#include "model/draft.hpp"

#include <optional>
#include <string>

namespace tq::engine {

// A job on its way into the intake.
struct IntakeJob {
  std::uint32_t queue = 0;
  std::string record;
};

// Nothing if the job has to be added within a transaction: its queue or task is new, its queue has a limit, or its payload
// belongs into a side file.
std::optional<IntakeJob> to_intake(const store::Transaction& txn, const model::Draft& draft);

// Adds what the intake holds. Once in a transaction, before anything else is added. Then `count` jobs may be added, under
// consecutive numbers.
void take_in(Ledger& ledger, std::size_t count);

}  // namespace tq::engine
