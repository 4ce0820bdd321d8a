#include "engine/workers.hpp"

#include "engine/finish.hpp"

namespace tq::engine {

WorkerId register_worker(Ledger& ledger, const model::WorkerRecord& record) {
  const WorkerId id = ledger.totals().next_worker++;
  store::put(ledger.txn(), WorkerKey{id}, model::encode(record));
  ledger.log({.type = EventType::worker_started, .worker = id});
  ledger.touched().workers = true;
  return id;
}

bool update_worker(Ledger& ledger, WorkerId worker, const model::WorkerRecord& record) {
  if (!store::get(ledger.txn(), WorkerKey{worker})) return false;
  store::put(ledger.txn(), WorkerKey{worker}, model::encode(record));
  ledger.mark_changed();
  ledger.touched().workers = true;
  return true;
}

void unregister_worker(Ledger& ledger, WorkerId worker) {
  for (const JobId id : jobs_of(ledger.txn(), worker)) {
    const auto job = ledger.load(id);
    if (!job) base::fail<Damaged>("worker {} has job {} in hand, which has no record", worker, id);
    finish(ledger, {id, job->stored.run, worker}, {.kind = Outcome::Kind::interrupted, .error = "its worker stopped"});
  }
  if (!store::erase(ledger.txn(), WorkerKey{worker})) return;
  ledger.log({.type = EventType::worker_stopped, .worker = worker});
  ledger.touched().workers = true;
}

void clear_copied_worker(model::WorkerRecord& record) {
  record.pid = 0;
  record.pid_started = 0;
  record.guard_pid = 0;
  record.token.clear();
}

std::size_t rescue(Ledger& ledger, WorkerId worker, std::string_view cause,
                   const std::function<bool(JobId)>& had_begun) {
  const auto bytes = store::get(ledger.txn(), WorkerKey{worker});
  if (!bytes) return 0;  // somebody else was first
  const model::WorkerRecord record = model::decode_worker(*bytes);
  if (record.pid == 0) {  // it lives elsewhere, or did: nothing that it did there is of any consequence here
    const std::size_t jobs = jobs_of(ledger.txn(), worker).size();
    unregister_worker(ledger, worker);
    return jobs;
  }
  const std::uint32_t max_crashes = record.max_crashes;
  const std::vector<JobId> jobs = jobs_of(ledger.txn(), worker);
  for (const JobId id : jobs) {
    auto job = ledger.load(id);
    if (!job) base::fail<Damaged>("worker {} had job {} in hand, which has no record", worker, id);
    if (job->stored.has(model::kAhead) && !had_begun(id)) {
      give_back(ledger, *job);
    } else {
      crash(ledger, *job, max_crashes, cause);
    }
  }
  store::erase(ledger.txn(), WorkerKey{worker});
  ledger.log({.type = EventType::worker_died, .worker = worker, .text = std::string(cause)});
  ledger.touched().workers = true;
  return jobs.size();
}

std::optional<model::WorkerRecord> worker_record(const store::Transaction& txn, WorkerId worker) {
  const auto bytes = store::get(txn, WorkerKey{worker});
  if (!bytes) return std::nullopt;
  return model::decode_worker(*bytes);
}

std::vector<KnownWorker> known_workers(const store::Transaction& txn) {
  std::vector<KnownWorker> workers;
  store::Cursor<WorkerKey> cursor(txn);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    workers.push_back({cursor.key().worker, model::decode_worker(cursor.value())});
  }
  return workers;
}

std::vector<JobId> jobs_of(const store::Transaction& txn, WorkerId worker) {
  std::vector<JobId> jobs;
  store::Cursor<ActiveKey> cursor(txn);
  for (bool more = cursor.seek({worker, 0}); more && cursor.key().worker == worker; more = cursor.next()) {
    jobs.push_back(cursor.key().job);
  }
  return jobs;
}

}  // namespace tq::engine
