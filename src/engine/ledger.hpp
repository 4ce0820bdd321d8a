// The ledger: one write transaction with what every change of it shares: the time, the counters, the catalogues of queues and
// tasks, and the event log. Counters are kept here while the transaction lasts and written once by close(), so that a
// thousand jobs in one transaction cost one update of their queue.
//
// Everything that changes a job goes load -> edit -> save. save() alone moves index entries, counters and the log, so they
// cannot disagree with the record.
#pragma once

#include "engine/keys.hpp"
#include "model/records.hpp"
#include "store/transaction.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace tq::engine {

// How long final jobs and events are kept, unless a job says otherwise. Duration::max() is for ever.
struct Retention {
  Duration succeeded = std::chrono::hours{24 * 7};
  Duration failed = std::chrono::hours{24 * 90};  // failed, cancelled and expired
  Duration events = std::chrono::hours{24 * 30};
};

// A job in hand: its record, and its header as it is in the store.
struct Job {
  JobId id = 0;
  model::JobHeader stored;
  model::JobRecord record;
  model::JobHeader& header() { return record.header; }
};

// Whom a transaction concerns, to be told after its commit.
struct Touched {
  std::set<std::uint32_t> queues;  // have new work
  bool finals = false;             // a job became final, or was removed
  bool output = false;
  bool workers = false;  // a worker came or went, or has to look at its jobs
  bool events = false;
};

// One thread, one transaction.
class Ledger {
 public:
  Ledger(store::WriteTransaction& txn, Time now, const Retention& retention = {});

  store::WriteTransaction& txn() { return txn_; }
  Time now() const { return now_; }
  std::int64_t now_ms() const;
  const Retention& retention() const { return retention_; }
  model::Totals& totals() { return known_.totals; }
  Touched& touched() { return known_.touched; }

  // --- catalogues ---
  std::optional<std::uint32_t> find_queue(std::string_view name);
  std::uint32_t find_or_make_queue(std::string_view name);
  std::uint32_t find_or_make_task(std::string_view name);
  // The queue's record, to be changed in place; written by close(). The number must be one that was found.
  model::QueueRecord& queue(std::uint32_t number);
  const std::string& task_name(std::uint32_t number);

  // --- jobs ---
  std::optional<Job> load(JobId id);
  // A new job under the next id. Its header names queue and task already. `time_ms` is that of the event; 0: now.
  JobId add(model::JobRecord record, std::int64_t time_ms = 0);
  // Adds an event about its attempt, as that is now. To be saved afterwards.
  void note(Job& job, EventType type, std::string_view text = {}, WorkerId worker = 0);
  // Writes an edited job, with an event about it. The state may only move along a transition of the model (asserted).
  void save(Job& job, EventType type, std::string_view text = {}, WorkerId worker = 0);
  // Writes an edited job without an event: after note(), or for fields that are no news (output counters, saved state).
  void save_quietly(Job& job);
  // Makes the job final: state, time and retention. To be saved afterwards.
  void finalize(Job& job, State state);
  // Removes the job with all that belongs to it.
  void remove(Job& job);

  // --- events ---
  // Adds it under the next number, with the time of the transaction if it has none, and a text that is cut to kMaxErrorBytes.
  EventSeq log(model::EventRecord event);
  void forget_event(const EventKey& key);

  // Runs `edit`. If it throws, all that it has changed is undone, and what it threw is passed on.
  void attempt(const std::function<void()>& edit);

  // Has anything been changed? If not, there is nothing to commit.
  bool changed() const { return known_.changed; }
  // For a change that went past save() and log().
  void mark_changed() { known_.changed = true; }
  // Writes the counters. Last call before the commit.
  void close();

 private:
  struct KnownQueue {
    model::QueueRecord record;
    model::QueueRecord stored;  // as it is in the transaction
  };

  // What is known of the transaction, to be put back when a part of it is undone.
  struct Known {
    model::Totals totals;
    std::map<std::uint32_t, KnownQueue> queues;
    std::map<std::string, std::uint32_t, std::less<>> queue_numbers;
    std::map<std::string, std::uint32_t, std::less<>> task_numbers;
    std::map<std::uint32_t, std::string> task_names;
    Touched touched;
    bool changed = false;
  };

  store::WriteTransaction& txn_;
  const Time now_;
  const Retention retention_;
  Known known_;
  model::Totals stored_totals_;
};

// What both kinds of transaction can look up.
std::optional<model::JobRecord> find_job(const store::Transaction& txn, JobId id);
std::optional<std::uint32_t> find_queue(const store::Transaction& txn, std::string_view name);
std::optional<std::uint32_t> find_task(const store::Transaction& txn, std::string_view name);
// Throws Damaged if the number is in no catalogue.
std::string task_name(const store::Transaction& txn, std::uint32_t number);
model::QueueRecord queue_record(const store::Transaction& txn, std::uint32_t number);
model::Totals totals(const store::Transaction& txn);

}  // namespace tq::engine
