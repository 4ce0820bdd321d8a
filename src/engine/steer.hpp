// What people do to jobs and queues.
#pragma once

#include "engine/ledger.hpp"

#include <optional>
#include <string_view>

namespace tq::engine {

// A waiting job is cancelled; of a running one it is noted that its worker has to stop it, with `signal` first.
CancelOutcome cancel(Ledger& ledger, JobId id, std::string_view reason, int signal);

// What the worker of a job has been asked to do, if anything.
struct CancelRequest {
  int signal = 0;
};
std::optional<CancelRequest> cancel_request(const model::JobHeader& header);

// The rest throws NotFound for a job or queue that does not exist, Conflict for a state in which it cannot be done.

// A final job starts anew under its id; one that waits for its time or its next attempt becomes ready now.
void retry(Ledger& ledger, JobId id);
void remove(Ledger& ledger, JobId id);

void change(Ledger& ledger, JobId id, const JobChange& change);

void pause(Ledger& ledger, std::string_view queue);
void resume(Ledger& ledger, std::string_view queue);
void configure(Ledger& ledger, std::string_view queue, const QueueSettings& settings);

// Removes up to `limit` jobs of a queue from `after` on: those that wait, or those in `state`. To be called again with the
// returned position until that is 0.
struct Purged {
  std::uint64_t jobs = 0;
  JobId next = 0;
};
Purged purge(Ledger& ledger, std::string_view queue, std::optional<State> state, JobId after, std::size_t limit);
// Removes up to `limit` failed jobs that were finished before `older_than` (nothing: whenever). Returns how many.
std::uint64_t purge_dead(Ledger& ledger, std::optional<Time> older_than, std::size_t limit);

}  // namespace tq::engine
