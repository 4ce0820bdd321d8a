// A store made from its primary records: jobs, events, output, blobs, and the catalogue. Every index entry and every counter
// is derived here, so that they agree with the records whatever they were before.
#pragma once

#include "engine/keys.hpp"
#include "model/records.hpp"
#include "store/blob.hpp"
#include "store/intake_salvage.hpp"
#include "store/making.hpp"

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace tq::engine {

// Fills an empty store in the making. Records of a kind are given once each, best in the order of their numbers. One thread.
class Rebuild {
 public:
  explicit Rebuild(store::Environment& made) : made_(made), filler_(made) {}

  // The catalogue comes first. The counters of a queue are of no matter.
  void add_queue(std::uint32_t number, model::QueueRecord record);
  void add_task(std::uint32_t number, const std::string& name);
  void add_worker(WorkerId id, const model::WorkerRecord& record);
  // Nothing if there is none of that name.
  std::optional<std::uint32_t> find_queue(std::string_view name) const;
  std::optional<std::uint32_t> find_task(std::string_view name) const;
  const std::map<std::uint32_t, model::QueueRecord>& queues() const { return queues_; }
  const std::map<std::uint32_t, std::string>& tasks() const { return tasks_; }
  bool has_worker(WorkerId id) const { return workers_.contains(id); }

  // The record as it is, with its index entries. The flags for blobs are the caller's.
  void add_job(JobId id, const model::JobRecord& record);
  void add_blob(JobId id, store::BlobKind kind, std::string bytes);
  void add_output(JobId id, std::uint64_t seq, const model::LogRecord& record);
  void add_event(EventSeq seq, const model::EventRecord& record);
  // Above all jobs so far.
  JobId next_job() const { return seen_.next_job; }
  void add_intake_end(store::IntakeEnd end);
  // A record that is taken over as it is.
  void add_raw(Tree tree, std::string_view key, std::string_view value) { filler_.put(tree, key, value); }

  // Writes queues and counters. Those of `least` are kept where what has been added does not ask for more. Last call.
  void finish(const model::Totals& least);

 private:
  store::Environment& made_;
  store::Filler filler_;
  std::map<std::uint32_t, model::QueueRecord> queues_;
  std::map<std::uint32_t, std::string> tasks_;
  std::map<std::string, std::uint32_t, std::less<>> queue_numbers_;
  std::map<std::string, std::uint32_t, std::less<>> task_numbers_;
  std::set<WorkerId> workers_;
  std::map<std::uint32_t, std::array<std::uint64_t, kStateCount>> counts_;
  model::Totals seen_;
};

}  // namespace tq::engine
