#include "engine/check.hpp"

#include "engine/ledger.hpp"
#include "store/blob.hpp"
#include "store/copy.hpp"
#include "store/format.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace tq::engine {
namespace {

constexpr std::size_t kMaxProblems = 1000;

// Keeps queues, tasks and workers in memory, of which there are few; whatever there may be millions of is looked up.
class Checker {
 public:
  Checker(const store::Transaction& txn, bool deep) : txn_(txn), deep_(deep) {}

  CheckReport run() {
    guarded("the counters of the store", [&] { totals_ = totals(txn_); });
    check_catalogue();
    check_jobs();
    check_index();
    check_queues();
    check_events();
    if (deep_) check_output();
    check_blobs();
    check_kinds();
    return std::move(report_);
  }

 private:
  template <class... Args>
  void problem(fmt::format_string<Args...> text, Args&&... args) {
    if (report_.problems.size() < kMaxProblems)
      report_.problems.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  // Runs a step; damage that it meets becomes a problem.
  template <class Step>
  void guarded(std::string_view what, Step step) {
    try {
      step();
    } catch (const Damaged& damage) {
      problem("{}: {}", what, damage.what());
    }
  }

  void saw(Tree tree, std::uint64_t records = 1) {
    report_.records += records;
    seen_[static_cast<std::size_t>(tree)] += records;
  }

  // Visits every key of a kind; each one's damage is a problem of its own.
  template <class Key, class Visit>
  void each(std::string_view what, Visit visit) {
    store::Cursor<Key> cursor(txn_);
    for (bool more = cursor.first(); more; more = cursor.next()) {
      saw(Key::kTree);
      guarded(what, [&] { visit(cursor.key(), cursor.value()); });
    }
  }

  std::optional<model::JobHeader> find_header(JobId id) const {
    const auto bytes = store::get(txn_, JobKey{id});
    if (!bytes) return std::nullopt;
    return model::decode_job_header(*bytes);
  }

  std::optional<model::EventRecord> find_event(EventSeq seq) const {
    const auto bytes = store::get(txn_, EventKey{seq});
    if (!bytes) return std::nullopt;
    return model::decode_event(*bytes);
  }

  // --- catalogues ---

  void check_catalogue() {
    each<TaskKey>("the catalogue of tasks", [&](const TaskKey& key, std::string_view name) {
      tasks_.emplace(key.task, name);
      if (find_task(txn_, name) != key.task) problem("task '{}' is not found by its name", name);
      if (key.task >= totals_.next_task) problem("task number {} was never given out", key.task);
    });
    each<QueueKey>("the catalogue of queues", [&](const QueueKey& key, std::string_view value) {
      const model::QueueRecord record = model::decode_queue(value);
      queues_.emplace(key.queue, record);
      if (find_queue(txn_, record.name) != key.queue) problem("queue '{}' is not found by its name", record.name);
      if (key.queue >= totals_.next_queue) problem("queue number {} was never given out", key.queue);
    });
    check_names("the names of tasks", kTaskNameKind, [&](std::string_view name) {
      const auto known = tasks_.find(find_task(txn_, name).value());
      return known != tasks_.end() && known->second == name;
    });
    check_names("the names of queues", kQueueNameKind, [&](std::string_view name) {
      const auto known = queues_.find(find_queue(txn_, name).value());
      return known != queues_.end() && known->second.name == name;
    });
    each<WorkerKey>("the workers", [&](const WorkerKey& key, std::string_view value) {
      workers_.insert(key.worker);
      model::decode_worker(value);
      if (key.worker >= totals_.next_worker) problem("worker number {} was never given out", key.worker);
    });
  }

  template <class IsKnown>
  void check_names(std::string_view what, char kind, IsKnown is_known) {
    store::RawCursor cursor(txn_, Tree::catalog, static_cast<std::uint8_t>(kind));
    for (bool more = cursor.first(); more; more = cursor.next()) {
      saw(Tree::catalog);
      const std::string_view name = cursor.key().substr(1);
      guarded(what, [&] {
        if (!is_known(name)) problem("{}: '{}' has no record", what, name);
      });
    }
  }

  void check_queues() {
    for (const auto& [number, queue] : queues_) {
      const auto& counted = counted_[number];
      for (std::size_t state = 1; state < kStateCount; ++state) {
        if (queue.count[state] == counted[state]) continue;
        problem("queue '{}' counts {} jobs that are {}, but there are {}", queue.name, queue.count[state],
                to_string(static_cast<State>(state)), counted[state]);
      }
    }
  }

  // --- jobs ---

  void check_jobs() {
    each<JobKey>("the jobs", [&](const JobKey& key, std::string_view value) {
      const model::JobRecord record = model::decode_job(value);
      const model::JobHeader& header = record.header;
      ++counted_[header.queue][static_cast<std::size_t>(header.state)];
      model::decode_details(header, record.details);
      check_place(key.job, header);
      check_state(key.job, header);
      check_own(key.job, header);
    });
    // Numbers may have been given out and not been used.
    if (totals_.enqueued + 1 > totals_.next_job) {
      problem("{} jobs are said to have been enqueued, but the next is {}", totals_.enqueued, totals_.next_job);
    }
  }

  // Its numbers, and the index entries under which it has to stand.
  void check_place(JobId id, const model::JobHeader& header) {
    if (id >= totals_.next_job) problem("job {} has a number that was never given out", id);
    if (!queues_.contains(header.queue))
      problem("job {} is in queue number {}, which does not exist", id, header.queue);
    if (!tasks_.contains(header.task)) problem("job {} is of task number {}, which does not exist", id, header.task);
    for (const store::KeyBytes& index_key : IndexKeys(id, header)) {
      std::string_view nothing;
      if (txn_.get(Tree::index, index_key, nothing)) continue;
      problem("job {} ({}) is missing in an index", id, to_string(header.state));
    }
  }

  // What must hold in its state.
  void check_state(JobId id, const model::JobHeader& header) {
    const bool runs = header.state == State::running;
    if (runs && !workers_.contains(header.worker)) {
      problem("job {} runs on worker {}, which is not registered", id, header.worker);
    }
    if (!runs && header.has(model::kCancelRequested)) problem("job {} does not run but is asked to stop", id);
    if (!runs && header.has(model::kAhead)) problem("job {} does not run but is claimed ahead", id);
    if (runs && header.attempt == 0 && !header.has(model::kAhead)) problem("job {} runs but counts no attempt", id);
    if (header.attempt > header.run) {
      problem("job {} counts {} attempts but was claimed {} times", id, header.attempt, header.run);
    }
    const std::uint64_t most = std::uint64_t{header.max_retries} + 1;
    if (header.attempt > most) problem("job {} is at attempt {} of at most {}", id, header.attempt, most);
    if (!is_final(header.state) && (header.finished_ms != 0 || header.keep_until_ms != 0)) {
      problem("job {} is {} but has a time of its end", id, to_string(header.state));
    }
    if (is_final(header.state) && header.finished_ms == 0) problem("job {} is over but has no time of its end", id);
    if (header.state != State::succeeded && header.has(model::kResultIsBlob)) {
      problem("job {} is {} but has a result", id, to_string(header.state));
    }
  }

  // Its newest event, its output and its blobs.
  void check_own(JobId id, const model::JobHeader& header) {
    if (header.last_event >= totals_.next_event) problem("job {} names an event that was never given out", id);
    const auto event = find_event(header.last_event);
    if (event && event->job != id) problem("job {} names event {}, which is not about it", id, header.last_event);
    if (header.log_head_bytes > header.log_bytes) problem("job {} has more output in its head than in all", id);
    if (header.log_dropped_after >= header.log_next) problem("job {} has a gap behind its last output", id);
    if (deep_ && header.log_bytes != 0) {
      store::Cursor<LogKey> cursor(txn_);
      if (!cursor.seek({id, 0}) || cursor.key().job != id) problem("job {} has lost its output", id);
    }
    for (const auto kind : {store::BlobKind::payload, store::BlobKind::result, store::BlobKind::saved}) {
      if (header.has(flag_of(kind)) && !store::blob_size(txn_, id, kind)) {
        problem("job {} has lost its blob of kind {}", id, static_cast<int>(kind));
      }
    }
  }

  // --- what refers to jobs ---

  // Every index entry has its job, and check_place saw that every job has its entries.
  template <class Key>
  void check_index_of(std::string_view what) {
    each<Key>(what, [&](const Key& key, std::string_view) {
      const auto header = find_header(key.job);
      if (!header) return problem("{}: job {} does not exist", what, key.job);
      const IndexKeys keys(key.job, *header);
      if (std::find(keys.begin(), keys.end(), store::encode_key(key)) == keys.end()) {
        problem("{}: job {} ({}) does not belong there", what, key.job, to_string(header->state));
      }
    });
  }

  void check_index() {
    check_index_of<ReadyKey>("the index of ready jobs");
    check_index_of<DueKey>("the index of times");
    check_index_of<SpanKey>("the index of waits");
    check_index_of<ExpiryKey>("the index of deadlines");
    check_index_of<ActiveKey>("the index of running jobs");
    check_index_of<FinalKey>("the index of final jobs");
    check_index_of<KeepKey>("the index of retention");
  }

  void check_events() {
    EventSeq before = 0;
    each<EventKey>("the event log", [&](const EventKey& key, std::string_view value) {
      if (before != 0 && key.seq != before + 1) problem("the events between {} and {} are missing", before, key.seq);
      before = key.seq;
      if (key.seq >= totals_.next_event) problem("event {} has a number that was never given out", key.seq);
      check_event(key.seq, model::decode_event(value));
    });
    if (before != 0 && before + 1 < totals_.next_event) problem("the events from {} on are missing", before + 1);
  }

  // The events of a job are a chain, from the one that the job names back to the first that is kept.
  void check_event(EventSeq seq, const model::EventRecord& event) {
    if (event.queue != 0 && !queues_.contains(event.queue)) {
      problem("event {} is about queue number {}, which does not exist", seq, event.queue);
    }
    if (event.previous >= seq) return problem("event {} names {} as the one before it", seq, event.previous);
    const auto previous = find_event(event.previous);
    if (previous && previous->job != event.job) {
      problem("event {} names {} as the one before it, which is not about job {}", seq, event.previous, event.job);
    }
    const auto header = event.job == 0 ? std::nullopt : find_header(event.job);
    if (header && header->last_event < seq) problem("event {} is newer than job {} knows", seq, event.job);
  }

  void check_output() {
    JobId job = 0;
    std::uint64_t bytes = 0;
    const auto finish_job = [&] {
      const auto header = job == 0 ? std::nullopt : find_header(job);
      if (!header || header->log_bytes == bytes) return;
      problem("job {} says that it has {} bytes of output, but there are {}", job, header->log_bytes, bytes);
    };
    each<LogKey>("the output", [&](const LogKey& key, std::string_view value) {
      if (key.job != job) {
        finish_job();
        job = key.job;
        bytes = 0;
      }
      bytes += model::decode_log(value).bytes.size();
      const auto header = find_header(key.job);
      if (!header) return problem("there is output of job {}, which does not exist", key.job);
      if (key.seq >= header->log_next) problem("output {} of job {} was never written", key.seq, key.job);
    });
    guarded("the output", finish_job);
  }

  static model::JobFlag flag_of(store::BlobKind kind) {
    if (kind == store::BlobKind::payload) return model::kPayloadIsBlob;
    return kind == store::BlobKind::result ? model::kResultIsBlob : model::kHasSaved;
  }

  void check_blobs() {
    guarded("the blobs", [&] {
      const std::uint64_t records = store::check_blobs(
          txn_, deep_, [&](std::string text) { problem("{}", text); },
          [&](JobId job, store::BlobKind kind) {
            const auto header = find_header(job);
            if (header && header->has(flag_of(kind))) return;
            problem("the blob of kind {} of job {} belongs to nothing", static_cast<int>(kind), job);
          });
      saw(Tree::blobs, records);
    });
  }

  // Once all that has a known kind has been visited: nobody would ever ask for the rest, as for an event whose key has rotted.
  void check_kinds() {
    for (const std::uint8_t kind : {store::kStoreKind, TotalsKey::kKind}) {
      store::RawCursor cursor(txn_, Tree::catalog, kind);
      for (bool more = cursor.first(); more; more = cursor.next()) saw(Tree::catalog);
    }
    for (std::size_t i = 0; i < store::kTreeCount; ++i) {
      const auto tree = static_cast<Tree>(i);
      if (tree == Tree::logs && !deep_) continue;
      const std::uint64_t there = store::count_records(txn_, tree);
      if (there == seen_[i]) continue;
      problem("the tree '{}' has {} records, of which {} are of a known kind", store::kTreeNames[i], there, seen_[i]);
    }
  }

  const store::Transaction& txn_;
  const bool deep_;
  CheckReport report_;
  std::array<std::uint64_t, store::kTreeCount> seen_{};
  model::Totals totals_;
  std::map<std::uint32_t, model::QueueRecord> queues_;
  std::map<std::uint32_t, std::string> tasks_;
  std::set<WorkerId> workers_;
  std::map<std::uint32_t, std::array<std::uint64_t, kStateCount>> counted_;
};

}  // namespace

CheckReport check(const store::Transaction& txn, bool deep) { return Checker(txn, deep).run(); }

}  // namespace tq::engine
