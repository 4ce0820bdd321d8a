#include "engine/rebuild.hpp"

#include "base/bytes.hpp"

#include <algorithm>

namespace tq::engine {
namespace {

template <class Number>
void raise(Number& value, Number to) {
  value = std::max(value, to);
}

std::string name_key(char kind, std::string_view name) { return kind + std::string(name); }

std::string number_value(std::uint32_t number) {
  std::string value;
  base::append_le(value, number);
  return value;
}

template <class Map>
std::optional<std::uint32_t> find(const Map& numbers, std::string_view name) {
  const auto known = numbers.find(name);
  return known == numbers.end() ? std::nullopt : std::optional(known->second);
}

}  // namespace

void Rebuild::add_queue(std::uint32_t number, model::QueueRecord record) {
  queue_numbers_[record.name] = number;
  queues_[number] = std::move(record);
  raise(seen_.next_queue, number + 1);
}

void Rebuild::add_task(std::uint32_t number, const std::string& name) {
  task_numbers_[name] = number;
  tasks_[number] = name;
  raise(seen_.next_task, number + 1);
}

void Rebuild::add_worker(WorkerId id, const model::WorkerRecord& record) {
  workers_.insert(id);
  raise(seen_.next_worker, id + 1);
  filler_.put(WorkerKey{id}, model::encode(record));
}

std::optional<std::uint32_t> Rebuild::find_queue(std::string_view name) const { return find(queue_numbers_, name); }
std::optional<std::uint32_t> Rebuild::find_task(std::string_view name) const { return find(task_numbers_, name); }

void Rebuild::add_job(JobId id, const model::JobRecord& record) {
  const model::JobHeader& header = record.header;
  filler_.put(JobKey{id}, model::encode(record));
  for (const store::KeyBytes& key : IndexKeys(id, header)) filler_.put(Tree::index, key);
  ++counts_[header.queue][static_cast<std::size_t>(header.state)];
  raise(seen_.next_job, id + 1);
  raise(seen_.next_event, header.last_event + 1);
  raise(seen_.next_worker, header.worker + 1);
  ++seen_.enqueued;
}

void Rebuild::add_blob(JobId id, store::BlobKind kind, std::string bytes) {
  const std::size_t size = bytes.size();
  store::PreparedBlob blob(made_, std::move(bytes));
  store::put_blob(filler_.txn(size), id, kind, std::move(blob));
}

void Rebuild::add_output(JobId id, std::uint64_t seq, const model::LogRecord& record) {
  filler_.put(LogKey{id, seq}, model::encode(record));
}

void Rebuild::add_event(EventSeq seq, const model::EventRecord& record) {
  filler_.put(EventKey{seq}, model::encode(record));
  raise(seen_.next_event, seq + 1);
}

void Rebuild::add_intake_end(store::IntakeEnd end) { store::put_intake_end(filler_.txn(0), end); }

void Rebuild::finish(const model::Totals& least) {
  for (const auto& [number, name] : tasks_) {
    filler_.put(TaskKey{number}, name);
    filler_.put(Tree::catalog, name_key(kTaskNameKind, name), number_value(number));
  }
  for (auto& [number, queue] : queues_) {
    queue.count = counts_[number];
    filler_.put(QueueKey{number}, model::encode(queue));
    filler_.put(Tree::catalog, name_key(kQueueNameKind, queue.name), number_value(number));
  }
  model::Totals totals = least;
  raise(totals.next_job, seen_.next_job);
  raise(totals.next_event, seen_.next_event);
  raise(totals.next_worker, seen_.next_worker);
  raise(totals.next_queue, seen_.next_queue);
  raise(totals.next_task, seen_.next_task);
  raise(totals.enqueued, seen_.enqueued);
  filler_.put(TotalsKey{}, model::encode(totals));
  filler_.finish();
}

}  // namespace tq::engine
