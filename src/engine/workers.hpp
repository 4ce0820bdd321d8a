// Workers as the store knows them, and the rescue of what a dead one had in hand.
#pragma once

#include "engine/ledger.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tq::engine {

// Registers a worker under the next number. Its lock is to be held before this is committed.
WorkerId register_worker(Ledger& ledger, const model::WorkerRecord& record);
// Writes a changed record of a registered worker. False: it is not registered (any more).
bool update_worker(Ledger& ledger, WorkerId worker, const model::WorkerRecord& record);
// A worker leaves in good order: what it still holds is interrupted and ready again.
void unregister_worker(Ledger& ledger, WorkerId worker);
// Makes the record of a worker one of a copy of the store (pid 0): nobody of that number ever ran there. Its rescue interrupts
// what it had in hand, which costs no attempt, and touches no process, since the one that runs them may live.
void clear_copied_worker(model::WorkerRecord& record);
// A worker has died: what it had in hand is ready again, or failed if that happened too often. What it had claimed ahead is
// blameless unless `had_begun` says otherwise. Returns the number of jobs.
std::size_t rescue(Ledger& ledger, WorkerId worker, std::string_view cause,
                   const std::function<bool(JobId)>& had_begun);

struct KnownWorker {
  WorkerId id = 0;
  model::WorkerRecord record;
};
std::optional<model::WorkerRecord> worker_record(const store::Transaction& txn, WorkerId worker);
std::vector<KnownWorker> known_workers(const store::Transaction& txn);

// The jobs that a worker has in hand.
std::vector<JobId> jobs_of(const store::Transaction& txn, WorkerId worker);

}  // namespace tq::engine
