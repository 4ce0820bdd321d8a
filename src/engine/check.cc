#include "engine/check.hpp"

#include "engine/ledger.hpp"
#include "engine/workers.hpp"
#include "store/blob.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace tq::engine {
namespace {

constexpr std::size_t kMaxProblems = 1000;

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
    check_output();
    check_blobs();
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

  // Visits every key of a kind; each one's damage is a problem of its own.
  template <class Key, class Visit>
  void each(std::string_view what, Visit visit) {
    store::Cursor<Key> cursor(txn_);
    bool more = false;
    guarded(what, [&] { more = cursor.first(); });
    while (more) {
      ++report_.records;
      guarded(what, [&] { visit(cursor.key(), cursor.value()); });
      more = cursor.next();
    }
  }

  void check_catalogue() {
    each<TaskKey>("the catalogue of tasks", [&](const TaskKey& key, std::string_view name) {
      tasks_.insert(key.task);
      if (find_task(txn_, name) != key.task) problem("task '{}' is not found by its name", name);
      if (key.task >= totals_.next_task) problem("task number {} was never given out", key.task);
    });
    each<QueueKey>("the catalogue of queues", [&](const QueueKey& key, std::string_view value) {
      const model::QueueRecord record = model::decode_queue(value);
      if (find_queue(txn_, record.name) != key.queue) problem("queue '{}' is not found by its name", record.name);
      if (key.queue >= totals_.next_queue) problem("queue number {} was never given out", key.queue);
      queues_.emplace(key.queue, record);
    });
    each<WorkerKey>("the workers", [&](const WorkerKey& key, std::string_view value) {
      model::decode_worker(value);
      workers_.insert(key.worker);
      if (key.worker >= totals_.next_worker) problem("worker number {} was never given out", key.worker);
    });
  }

  void check_jobs() {
    each<JobKey>("the jobs", [&](const JobKey& key, std::string_view value) {
      const model::JobRecord record = model::decode_job(value);
      model::decode_details(record.details);
      const model::JobHeader& header = record.header;
      headers_.emplace(key.job, header);
      if (key.job >= totals_.next_job) problem("job {} has a number that was never given out", key.job);
      if (!queues_.contains(header.queue))
        problem("job {} is in queue number {}, which does not exist", key.job, header.queue);
      if (!tasks_.contains(header.task))
        problem("job {} is of task number {}, which does not exist", key.job, header.task);
      ++counted_[header.queue][static_cast<std::size_t>(header.state)];
      check_header(key.job, header);
      for (const std::string& index_key : IndexKeys(key.job, header)) {
        std::string_view nothing;
        if (!txn_.get(Tree::index, index_key, nothing)) {
          problem("job {} ({}) is missing in an index", key.job, to_string(header.state));
        }
        ++index_entries_;
      }
    });
  }

  void check_header(JobId id, const model::JobHeader& header) {
    if (header.state == State::running && !workers_.contains(header.worker)) {
      problem("job {} runs on worker {}, which is not registered", id, header.worker);
    }
    if (header.attempt > header.run)
      problem("job {} counts {} attempts but was claimed {} times", id, header.attempt, header.run);
    const std::uint64_t most = std::uint64_t{header.max_retries} + 1;
    if (header.attempt > most) problem("job {} is at attempt {} of at most {}", id, header.attempt, most);
    if (is_final(header.state) && header.finished_ms == 0) problem("job {} is over but has no time of its end", id);
    if (header.last_event >= totals_.next_event) problem("job {} names an event that was never given out", id);
    if (header.log_head_bytes > header.log_bytes) problem("job {} has more output in its head than in all", id);
  }

  // Every index entry has its job: together with check_jobs the two are one to one.
  template <class Key>
  void check_index_of(std::string_view what) {
    each<Key>(what, [&](const Key& key, std::string_view) {
      ++index_found_;
      const auto job = headers_.find(key.job);
      if (job == headers_.end()) return problem("{}: job {} does not exist", what, key.job);
      const IndexKeys keys(key.job, job->second);
      const std::string encoded = store::encode_key(key);
      if (std::find(keys.begin(), keys.end(), encoded) == keys.end()) {
        problem("{}: job {} ({}) does not belong there", what, key.job, to_string(job->second.state));
      }
    });
  }

  void check_index() {
    check_index_of<ReadyKey>("the index of ready jobs");
    check_index_of<DueKey>("the index of times");
    check_index_of<ExpiryKey>("the index of deadlines");
    check_index_of<ActiveKey>("the index of running jobs");
    check_index_of<FinalKey>("the index of final jobs");
    check_index_of<KeepKey>("the index of retention");
    if (index_found_ != index_entries_)
      problem("the indexes hold {} entries instead of {}", index_found_, index_entries_);
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

  void check_events() {
    EventSeq before = 0;
    each<EventKey>("the event log", [&](const EventKey& key, std::string_view value) {
      const model::EventRecord event = model::decode_event(value);
      if (key.seq >= totals_.next_event) problem("event {} has a number that was never given out", key.seq);
      if (before != 0 && key.seq != before + 1) problem("the events between {} and {} are missing", before, key.seq);
      if (event.previous >= key.seq) problem("event {} names {} as the one before it", key.seq, event.previous);
      before = key.seq;
    });
    if (before != 0 && before + 1 != totals_.next_event)
      problem("the newest events are missing, from {} on", before + 1);
  }

  void check_output() {
    std::map<JobId, std::uint64_t> bytes;
    if (deep_) {
      each<LogKey>("the output", [&](const LogKey& key, std::string_view value) {
        bytes[key.job] += model::decode_log(value).bytes.size();
        const auto job = headers_.find(key.job);
        if (job == headers_.end()) return problem("there is output of job {}, which does not exist", key.job);
        if (key.seq >= job->second.log_next) problem("output {} of job {} was never written", key.seq, key.job);
      });
      for (const auto& [id, header] : headers_) {
        if (bytes[id] == header.log_bytes) continue;
        problem("job {} says that it has {} bytes of output, but there are {}", id, header.log_bytes, bytes[id]);
      }
    }
  }

  void check_blobs() {
    std::set<std::pair<JobId, store::BlobKind>> seen;
    guarded("the blobs", [&] {
      report_.records += store::check_blobs(
          txn_, deep_, [&](std::string text) { problem("{}", text); },
          [&](JobId job, store::BlobKind kind) { seen.emplace(job, kind); });
    });
    std::size_t expected = 0;
    for (const auto& [id, header] : headers_) {
      for (const auto& [flag, kind] : {std::pair{model::kPayloadIsBlob, store::BlobKind::payload},
                                       std::pair{model::kResultIsBlob, store::BlobKind::result},
                                       std::pair{model::kHasSaved, store::BlobKind::saved}}) {
        if (!header.has(flag)) continue;
        ++expected;
        if (!seen.contains({id, kind})) problem("job {} has lost its blob of kind {}", id, static_cast<int>(kind));
      }
    }
    if (seen.size() > expected) problem("there are {} blobs that belong to no job", seen.size() - expected);
  }

  const store::Transaction& txn_;
  const bool deep_;
  CheckReport report_;
  model::Totals totals_;
  std::map<std::uint32_t, model::QueueRecord> queues_;
  std::set<std::uint32_t> tasks_;
  std::set<WorkerId> workers_;
  std::map<JobId, model::JobHeader> headers_;
  std::map<std::uint32_t, std::array<std::uint64_t, kStateCount>> counted_;
  std::uint64_t index_entries_ = 0;
  std::uint64_t index_found_ = 0;
};

}  // namespace

CheckReport check(const store::Transaction& txn, bool deep) { return Checker(txn, deep).run(); }

}  // namespace tq::engine
