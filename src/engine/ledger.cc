#include "engine/ledger.hpp"

#include "base/clock.hpp"
#include "base/text.hpp"
#include "model/transitions.hpp"
#include "store/blob.hpp"

#include <algorithm>

namespace tq::engine {
namespace {

// What a job that is run and ends well adds to its record: times, its worker, and a small result.
constexpr std::size_t kRoomToGrow = 64;

std::string name_key(char kind, std::string_view name) {
  std::string key(1, kind);
  key += name;
  return key;
}

std::optional<std::uint32_t> find_number(const store::Transaction& txn, char kind, std::string_view name) {
  std::string_view value;
  if (!txn.get(Tree::catalog, name_key(kind, name), value)) return std::nullopt;
  base::ByteReader reader(value);
  const auto number = reader.le<std::uint32_t>();
  if (!reader.done()) base::fail<Damaged>("the entry of '{}' in the catalogue is damaged", name);
  return number;
}

void put_number(store::WriteTransaction& txn, char kind, std::string_view name, std::uint32_t number) {
  std::string value;
  base::append_le(value, number);
  txn.put(Tree::catalog, name_key(kind, name), value);
}

// The counter over the whole store that counts this state being reached.
std::uint64_t* total_of(model::Totals& totals, State state) {
  switch (state) {
    case State::succeeded:
      return &totals.succeeded;
    case State::failed:
      return &totals.failed;
    case State::cancelled:
      return &totals.cancelled;
    case State::expired:
      return &totals.expired;
    default:
      return nullptr;
  }
}

// Such that it can be added to, and taken from, any time.
Duration bounded(Duration kept) { return std::clamp(kept, Duration::zero(), Duration::max() / 2); }

}  // namespace

Ledger::Ledger(store::WriteTransaction& txn, Time now, const Retention& retention)
    : txn_(txn),
      now_(now),
      retention_{bounded(retention.succeeded), bounded(retention.failed), bounded(retention.events)},
      known_{.totals = engine::totals(txn)},
      stored_totals_(known_.totals) {}

std::int64_t Ledger::now_ms() const { return base::to_ms(now_); }

std::optional<std::uint32_t> Ledger::find_queue(std::string_view name) {
  if (const auto known = known_.queue_numbers.find(name); known != known_.queue_numbers.end()) return known->second;
  const auto number = engine::find_queue(txn_, name);
  if (number) known_.queue_numbers.emplace(name, *number);
  return number;
}

std::uint32_t Ledger::find_or_make_queue(std::string_view name) {
  if (const auto number = find_queue(name)) return *number;
  const std::uint32_t number = known_.totals.next_queue++;
  put_number(txn_, kQueueNameKind, name, number);
  model::QueueRecord record;
  record.name = name;
  store::put(txn_, QueueKey{number}, model::encode(record));
  known_.queue_numbers.emplace(name, number);
  known_.queues.emplace(number, KnownQueue{record, record});
  log({.type = EventType::queue_created, .queue = number});
  return number;
}

std::uint32_t Ledger::find_or_make_task(std::string_view name) {
  if (const auto known = known_.task_numbers.find(name); known != known_.task_numbers.end()) return known->second;
  auto number = find_task(txn_, name);
  if (!number) {
    number = known_.totals.next_task++;
    put_number(txn_, kTaskNameKind, name, *number);
    store::put(txn_, TaskKey{*number}, name);
  }
  known_.task_numbers.emplace(name, *number);
  return *number;
}

model::QueueRecord& Ledger::queue(std::uint32_t number) {
  const auto known = known_.queues.find(number);
  if (known != known_.queues.end()) return known->second.record;
  model::QueueRecord record = queue_record(txn_, number);
  return known_.queues.emplace(number, KnownQueue{record, record}).first->second.record;
}

const std::string& Ledger::task_name(std::uint32_t number) {
  const auto known = known_.task_names.find(number);
  if (known != known_.task_names.end()) return known->second;
  return known_.task_names.emplace(number, engine::task_name(txn_, number)).first->second;
}

std::optional<Job> Ledger::load(JobId id) {
  auto record = find_job(txn_, id);
  if (!record) return std::nullopt;
  Job job{id, record->header, std::move(*record)};
  return job;
}

JobId Ledger::add(model::JobRecord record, std::int64_t time_ms) {
  const JobId id = known_.totals.next_job++;
  model::JobHeader& header = record.header;
  TQ_ASSERT(model::may_begin(header.state));
  header.last_event = log({.time_ms = time_ms, .type = EventType::enqueued, .queue = header.queue, .job = id});
  // Records lie close to each other. One that outgrew its place would split the page, and leave both halves half empty.
  store::append(txn_, JobKey{id}, model::encode(record, kRoomToGrow));
  for (const store::KeyBytes& key : IndexKeys(id, header)) txn_.put(Tree::index, key, {});
  ++queue(header.queue).count[static_cast<std::size_t>(header.state)];
  ++known_.totals.enqueued;
  known_.touched.queues.insert(header.queue);
  return id;
}

void Ledger::note(Job& job, EventType type, std::string_view text, WorkerId worker) {
  model::JobHeader& header = job.record.header;
  header.last_event = log({.type = type,
                           .attempt = header.attempt,
                           .queue = header.queue,
                           .job = job.id,
                           .worker = worker,
                           .previous = header.last_event,
                           .text = std::string(text)});
}

void Ledger::save(Job& job, EventType type, std::string_view text, WorkerId worker) {
  note(job, type, text, worker);
  save_quietly(job);
}

void Ledger::save_quietly(Job& job) {
  const model::JobHeader& before = job.stored;
  const model::JobHeader& after = job.record.header;
  TQ_ASSERT(before.state == after.state || model::may_move(before.state, after.state));
  const IndexKeys old_keys(job.id, before);
  const IndexKeys new_keys(job.id, after);
  for (const store::KeyBytes& key : old_keys) {
    if (std::find(new_keys.begin(), new_keys.end(), key) != new_keys.end()) continue;
    const bool was_there = txn_.erase(Tree::index, key);
    if (!was_there) base::fail<Damaged>("the index entry of job {} is missing", job.id);
  }
  for (const store::KeyBytes& key : new_keys) {
    if (std::find(old_keys.begin(), old_keys.end(), key) == old_keys.end()) txn_.put(Tree::index, key, {});
  }
  if (before.state != after.state || before.queue != after.queue) {
    --queue(before.queue).count[static_cast<std::size_t>(before.state)];
    ++queue(after.queue).count[static_cast<std::size_t>(after.state)];
    if (before.state != after.state) {
      if (std::uint64_t* total = total_of(known_.totals, after.state)) ++*total;
    }
  }
  if (is_final(after.state) && !is_final(before.state)) known_.touched.finals = true;
  if (!is_final(after.state) && after.state != State::running) known_.touched.queues.insert(after.queue);
  store::put(txn_, JobKey{job.id}, model::encode(job.record));
  job.stored = after;
  known_.changed = true;
}

void Ledger::finalize(Job& job, State state) {
  model::JobHeader& header = job.header();
  header.state = state;
  header.finished_ms = now_ms();
  header.set(model::kCancelRequested, false);
  const Duration kept = state == State::succeeded ? retention_.succeeded : retention_.failed;
  const std::int64_t kept_ms = header.result_ttl_ms >= 0 ? header.result_ttl_ms : kept.count();
  header.keep_until_ms = now_ms() + kept_ms;
}

void Ledger::remove(Job& job) {
  const model::JobHeader& header = job.stored;
  for (const store::KeyBytes& key : IndexKeys(job.id, header)) txn_.erase(Tree::index, key);
  if (header.has(model::kPayloadIsBlob)) store::erase_blob(txn_, job.id, store::BlobKind::payload);
  if (header.has(model::kResultIsBlob)) store::erase_blob(txn_, job.id, store::BlobKind::result);
  if (header.has(model::kHasSaved)) store::erase_blob(txn_, job.id, store::BlobKind::saved);
  if (header.log_bytes != 0) {
    for (;;) {
      store::Cursor<LogKey> cursor(txn_);
      if (!cursor.seek(LogKey{job.id, 0}) || cursor.key().job != job.id) break;
      const LogKey key = cursor.key();
      store::erase(txn_, key);
    }
  }
  store::erase(txn_, JobKey{job.id});
  --queue(header.queue).count[static_cast<std::size_t>(header.state)];
  log({.type = EventType::removed, .queue = header.queue, .job = job.id, .previous = header.last_event});
  known_.touched.finals = true;
}

EventSeq Ledger::log(model::EventRecord event) {
  const EventSeq seq = known_.totals.next_event++;
  if (event.time_ms == 0) event.time_ms = now_ms();
  event.text = base::shorten(event.text, kMaxErrorBytes);
  store::append(txn_, EventKey{seq}, model::encode(event));
  known_.touched.events = true;
  known_.changed = true;
  return seq;
}

void Ledger::forget_event(const EventKey& key) {
  store::erase(txn_, key);
  known_.changed = true;
}

void Ledger::attempt(const std::function<void()>& edit) {
  const Known before = known_;
  try {
    txn_.attempt(edit);
  } catch (...) {
    known_ = before;
    throw;
  }
}

void Ledger::close() {
  for (auto& [number, queue] : known_.queues) {
    if (queue.record == queue.stored) continue;
    store::put(txn_, QueueKey{number}, model::encode(queue.record));
    queue.stored = queue.record;
  }
  if (known_.totals != stored_totals_) store::put(txn_, TotalsKey{}, model::encode(known_.totals));
  stored_totals_ = known_.totals;
}

std::optional<model::JobRecord> find_job(const store::Transaction& txn, JobId id) {
  const auto bytes = store::get(txn, JobKey{id});
  if (!bytes) return std::nullopt;
  return model::decode_job(*bytes);
}

std::optional<std::uint32_t> find_queue(const store::Transaction& txn, std::string_view name) {
  return find_number(txn, kQueueNameKind, name);
}

std::optional<std::uint32_t> find_task(const store::Transaction& txn, std::string_view name) {
  return find_number(txn, kTaskNameKind, name);
}

std::string task_name(const store::Transaction& txn, std::uint32_t number) {
  const auto name = store::get(txn, TaskKey{number});
  if (!name) base::fail<Damaged>("task number {} is not in the catalogue", number);
  return std::string(*name);
}

model::QueueRecord queue_record(const store::Transaction& txn, std::uint32_t number) {
  const auto bytes = store::get(txn, QueueKey{number});
  if (!bytes) base::fail<Damaged>("queue number {} is not in the catalogue", number);
  return model::decode_queue(*bytes);
}

model::Totals totals(const store::Transaction& txn) {
  const auto bytes = store::get(txn, TotalsKey{});
  return bytes ? model::decode_totals(*bytes) : model::Totals{};
}

}  // namespace tq::engine
