// Looking: everything that a reading caller may ask, on either kind of transaction. Copies out; changes nothing.
#pragma once

#include "engine/keys.hpp"
#include "model/records.hpp"
#include "store/transaction.hpp"

#include <tq/types.hpp>

#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace tq::engine {

std::optional<JobInfo> job_info(const store::Transaction& txn, JobId id);
std::optional<Payload> payload(const store::Transaction& txn, JobId id);
// Nothing while the job is not final. Throws NotFound if there is none.
std::optional<Result> result(const store::Transaction& txn, JobId id);
std::optional<std::string> saved_state(const store::Transaction& txn, JobId id);
// Newest first. Throws NotFound for a queue that does not exist.
std::vector<JobInfo> list(const store::Transaction& txn, const JobFilter& filter);

std::vector<Event> events(const store::Transaction& txn, const EventFilter& filter);

std::vector<QueueInfo> queues(const store::Transaction& txn);
std::optional<QueueInfo> queue(const store::Transaction& txn, std::string_view name);

// What a worker is for a caller, without what only the kernel knows (alive).
WorkerInfo worker_info(WorkerId id, const model::WorkerRecord& record);

// Why the job is not running. `alive` says of a worker whether it lives. Throws NotFound.
std::vector<Reason> why(const store::Transaction& txn, JobId id, Time now, const std::function<bool(WorkerId)>& alive);

// Sizes and living workers are for the caller to fill in.
Stats stats(const store::Transaction& txn);

}  // namespace tq::engine
