#include "engine/query.hpp"

#include "base/clock.hpp"
#include "engine/ledger.hpp"
#include "store/blob.hpp"

#include <algorithm>

namespace tq::engine {
namespace {

std::optional<Time> time_or_none(std::int64_t ms) {
  if (ms == 0) return std::nullopt;
  return base::from_ms(ms);
}

std::optional<int> exit_code_of(const model::JobHeader& header) {
  if (!header.has(model::kHasExitCode)) return std::nullopt;
  return header.exit_code;
}

// The size of a byte string that is either a section of the record or a blob.
std::uint64_t size_of(const store::Transaction& txn, JobId id, bool is_blob, std::string_view section,
                      store::BlobKind kind) {
  return is_blob ? store::blob_size(txn, id, kind).value_or(0) : section.size();
}

std::string bytes_of(const store::Transaction& txn, JobId id, bool is_blob, std::string& section,
                     store::BlobKind kind) {
  if (!is_blob) return std::move(section);
  auto bytes = store::get_blob(txn, id, kind);
  if (!bytes) base::fail<Damaged>("the bytes that belong to job {} are missing", id);
  return std::move(*bytes);
}

QueueInfo queue_info(const model::QueueRecord& record) {
  QueueInfo info;
  info.name = record.name;
  info.paused = record.paused;
  info.settings.max_size = record.max_size;
  std::copy(record.count.begin(), record.count.end(), info.count);
  return info;
}

}  // namespace

namespace {

JobInfo to_info(const store::Transaction& txn, JobId id, model::JobRecord record) {
  const model::JobHeader& header = record.header;
  model::JobDetails details = model::decode_details(header, record.details);
  JobInfo info;
  info.id = id;
  info.state = header.state;
  info.queue = queue_record(txn, header.queue).name;
  info.task = task_name(txn, header.task);
  info.priority = header.priority;
  info.attempt = header.attempt;
  info.max_retries = header.max_retries;
  info.crashes = header.crashes;
  info.enqueued = base::from_ms(header.enqueued_ms);
  info.due = time_or_none(header.due_ms);
  info.started = time_or_none(header.started_ms);
  info.finished = time_or_none(header.finished_ms);
  info.expires = time_or_none(header.expires_ms);
  info.timeout = Duration(header.timeout_ms);
  info.backoff = {header.backoff_kind, Duration(header.backoff_base_ms), Duration(header.backoff_cap_ms),
                  header.backoff_jitter_permille / 1000.0};
  if (header.result_ttl_ms >= 0) info.result_ttl = Duration(header.result_ttl_ms);
  info.labels = std::move(details.labels);
  info.worker = header.worker;
  info.cancel_requested = header.has(model::kCancelRequested);
  info.exit_code = exit_code_of(header);
  info.error = std::move(record.error);
  info.codec = std::move(details.payload_codec);
  info.payload_bytes = size_of(txn, id, header.has(model::kPayloadIsBlob), record.payload, store::BlobKind::payload);
  info.result_bytes = size_of(txn, id, header.has(model::kResultIsBlob), record.result, store::BlobKind::result);
  info.log_bytes = header.log_bytes;
  info.log_dropped_bytes = header.log_dropped_bytes;
  return info;
}

// --- list: through an index if few jobs can match, else through the jobs themselves, newest first ---

constexpr std::uint64_t kFew = 4096;

struct Wanted {
  const JobFilter& filter;
  std::optional<std::uint32_t> queue;
  std::optional<std::uint32_t> task;
  bool has_state[kStateCount] = {};

  bool state(State state) const { return has_state[static_cast<std::size_t>(state)]; }
  bool header(const model::JobHeader& header) const {
    return state(header.state) && (!queue || header.queue == *queue) && (!task || header.task == *task);
  }
  bool details(const model::JobRecord& record) const {
    if (filter.label.empty()) return true;
    const auto labels = model::decode_details(record.header, record.details).labels;
    return std::find(labels.begin(), labels.end(), filter.label) != labels.end();
  }
};

// Calls `found` with every job that stands in an index of one of the wanted states.
void each_indexed(const store::Transaction& txn, const Wanted& wanted, const std::function<void(JobId)>& found) {
  if (wanted.state(State::ready)) {
    store::Cursor<ReadyKey> cursor(txn);
    const ReadyKey from{wanted.queue.value_or(0), 0, INT32_MIN, INT64_MIN, 0};
    for (bool more = cursor.seek(from); more; more = cursor.next()) {
      const ReadyKey key = cursor.key();
      if (wanted.queue && key.queue != *wanted.queue) break;
      found(key.job);
    }
  }
  if (wanted.state(State::scheduled) || wanted.state(State::retrying)) {
    store::Cursor<DueKey> cursor(txn);
    for (bool more = cursor.first(); more; more = cursor.next()) found(cursor.key().job);
  }
  if (wanted.state(State::running)) {
    store::Cursor<ActiveKey> cursor(txn);
    for (bool more = cursor.first(); more; more = cursor.next()) found(cursor.key().job);
  }
  for (const State state : {State::succeeded, State::failed, State::cancelled, State::expired}) {
    if (!wanted.state(state)) continue;
    const auto number = static_cast<std::uint8_t>(state);
    store::Cursor<FinalKey> cursor(txn);
    for (bool more = cursor.seek({number, INT64_MIN, 0}); more; more = cursor.next()) {
      const FinalKey key = cursor.key();
      if (key.state != number) break;
      found(key.job);
    }
  }
}

// How many jobs stand in the indexes that each_indexed would read; more than any if there are wanted ones in no index.
std::uint64_t count_indexed(const store::Transaction& txn, const Wanted& wanted) {
  std::uint64_t count = 0;
  const bool waits_for_time = wanted.state(State::scheduled) || wanted.state(State::retrying);
  store::Cursor<QueueKey> cursor(txn);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    const bool is_other_queue = wanted.queue && cursor.key().queue != *wanted.queue;
    const model::QueueRecord record = model::decode_queue(cursor.value());
    for (std::size_t i = 0; i < kStateCount; ++i) {
      const auto state = static_cast<State>(i);
      const bool in_no_index = state == State::blocked || state == State::forwarded;
      if (in_no_index && wanted.has_state[i] && record.count[i] != 0) return UINT64_MAX;
      const bool in_time_index = state == State::scheduled || state == State::retrying;
      const bool read = in_time_index ? waits_for_time : wanted.has_state[i];
      if (read && !(state == State::ready && is_other_queue)) count += record.count[i];
    }
  }
  return count;
}

std::vector<JobId> indexed_ids(const store::Transaction& txn, const Wanted& wanted) {
  std::vector<JobId> ids;
  each_indexed(txn, wanted, [&](JobId id) {
    if (wanted.filter.before == 0 || id < wanted.filter.before) ids.push_back(id);
  });
  std::sort(ids.begin(), ids.end(), std::greater<>());
  return ids;
}

void add_if_wanted(const store::Transaction& txn, const Wanted& wanted, JobId id, std::string_view bytes,
                   std::vector<JobInfo>& jobs) {
  if (!wanted.header(model::decode_job_header(bytes))) return;
  model::JobRecord record = model::decode_job(bytes);
  if (wanted.details(record)) jobs.push_back(to_info(txn, id, std::move(record)));
}

Wanted resolve(const store::Transaction& txn, const JobFilter& filter, bool& possible) {
  Wanted wanted{filter, std::nullopt, std::nullopt};
  for (std::size_t i = 0; i < kStateCount; ++i) wanted.has_state[i] = filter.states.empty();
  for (const State state : filter.states) wanted.has_state[static_cast<std::size_t>(state)] = true;
  if (!filter.queue.empty()) {
    wanted.queue = find_queue(txn, filter.queue);
    if (!wanted.queue) base::fail<NotFound>("there is no queue '{}'", filter.queue);
  }
  if (!filter.task.empty()) {
    wanted.task = find_task(txn, filter.task);
    if (!wanted.task) possible = false;
  }
  return wanted;
}

}  // namespace

std::optional<JobInfo> job_info(const store::Transaction& txn, JobId id) {
  auto record = find_job(txn, id);
  if (!record) return std::nullopt;
  return to_info(txn, id, std::move(*record));
}

std::optional<Payload> payload(const store::Transaction& txn, JobId id) {
  auto record = find_job(txn, id);
  if (!record) return std::nullopt;
  const bool is_blob = record->header.has(model::kPayloadIsBlob);
  return Payload{model::decode_details(record->header, record->details).payload_codec,
                 bytes_of(txn, id, is_blob, record->payload, store::BlobKind::payload)};
}

std::optional<Result> result(const store::Transaction& txn, JobId id) {
  auto record = find_job(txn, id);
  if (!record) base::fail<NotFound>("there is no job {}", id);
  const model::JobHeader& header = record->header;
  if (!is_final(header.state)) return std::nullopt;
  Result result;
  result.state = header.state;
  result.error = std::move(record->error);
  result.exit_code = exit_code_of(header);
  if (header.state == State::succeeded) {
    result.value.codec = model::decode_details(header, record->details).result_codec;
    result.value.bytes = bytes_of(txn, id, header.has(model::kResultIsBlob), record->result, store::BlobKind::result);
  }
  return result;
}

std::optional<std::string> saved_state(const store::Transaction& txn, JobId id) {
  return store::get_blob(txn, id, store::BlobKind::saved);
}

std::vector<JobInfo> list(const store::Transaction& txn, const JobFilter& filter) {
  std::vector<JobInfo> jobs;
  bool possible = true;
  const Wanted wanted = resolve(txn, filter, possible);
  if (!possible) return jobs;
  const bool through_index = !filter.states.empty() && count_indexed(txn, wanted) <= kFew;
  if (through_index) {
    for (const JobId id : indexed_ids(txn, wanted)) {
      if (jobs.size() >= filter.limit) break;
      const auto bytes = store::get(txn, JobKey{id});
      if (!bytes) base::fail<Damaged>("job {} is in an index but has no record", id);
      add_if_wanted(txn, wanted, id, *bytes, jobs);
    }
    return jobs;
  }
  store::Cursor<JobKey> cursor(txn);
  bool more = filter.before == 0 ? cursor.last() : cursor.seek_back(JobKey{filter.before - 1});
  for (; more && jobs.size() < filter.limit; more = cursor.prev()) {
    add_if_wanted(txn, wanted, cursor.key().job, cursor.value(), jobs);
  }
  return jobs;
}

std::vector<QueueInfo> queues(const store::Transaction& txn) {
  std::vector<QueueInfo> queues;
  store::Cursor<QueueKey> cursor(txn);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    queues.push_back(queue_info(model::decode_queue(cursor.value())));
  }
  std::sort(queues.begin(), queues.end(), [](const QueueInfo& a, const QueueInfo& b) { return a.name < b.name; });
  return queues;
}

std::optional<QueueInfo> queue(const store::Transaction& txn, std::string_view name) {
  const auto number = find_queue(txn, name);
  if (!number) return std::nullopt;
  return queue_info(queue_record(txn, *number));
}

WorkerInfo worker_info(WorkerId id, const model::WorkerRecord& record) {
  WorkerInfo info;
  info.id = id;
  info.pid = record.pid;
  info.host = record.host;
  info.started = base::from_ms(record.started_ms);
  info.concurrency = record.concurrency;
  info.queues = record.queues;
  info.tasks = record.tasks;
  info.stopping = record.stopping;
  return info;
}

Stats stats(const store::Transaction& txn) {
  Stats stats;
  store::Cursor<QueueKey> cursor(txn);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    const model::QueueRecord record = model::decode_queue(cursor.value());
    for (std::size_t i = 0; i < kStateCount; ++i) stats.count[i] += record.count[i];
    ++stats.queues;
  }
  const model::Totals all = totals(txn);
  stats.enqueued = all.enqueued;
  stats.attempts = all.attempts;
  stats.succeeded = all.succeeded;
  stats.failed = all.failed;
  stats.cancelled = all.cancelled;
  stats.expired = all.expired;
  stats.crashes = all.crashes;
  stats.last_event = all.next_event - 1;
  return stats;
}

}  // namespace tq::engine
