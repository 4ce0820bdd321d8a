// Reading the event log: forward from a number or a time, or along the chain of one job.
#include "base/clock.hpp"
#include "engine/ledger.hpp"
#include "engine/query.hpp"

#include <algorithm>

namespace tq::engine {
namespace {

Event to_event(const store::Transaction& txn, EventSeq seq, model::EventRecord record) {
  Event event;
  event.seq = seq;
  event.time = base::from_ms(record.time_ms);
  event.type = record.type;
  event.job = record.job;
  event.attempt = record.attempt;
  event.worker = record.worker;
  if (record.queue != 0) event.queue = queue_record(txn, record.queue).name;
  event.fraction = record.fraction_ppm / 1e6;
  event.text = std::move(record.text);
  return event;
}

bool is_wanted(const EventFilter& filter, const model::EventRecord& record) {
  if (filter.since && record.time_ms < base::to_ms(*filter.since)) return false;
  return filter.types.empty() || std::find(filter.types.begin(), filter.types.end(), record.type) != filter.types.end();
}

// Each event names the one before it of the same job; the chain ends where retention has cut it.
std::vector<Event> events_of_job(const store::Transaction& txn, const EventFilter& filter, EventSeq newest) {
  std::vector<Event> events;
  for (EventSeq seq = newest; seq > filter.after;) {
    const auto bytes = store::get(txn, EventKey{seq});
    if (!bytes) break;
    model::EventRecord record = model::decode_event(*bytes);
    const EventSeq previous = record.previous;
    if (is_wanted(filter, record)) events.push_back(to_event(txn, seq, std::move(record)));
    seq = previous;
  }
  std::reverse(events.begin(), events.end());
  if (events.size() > filter.limit) events.resize(filter.limit);
  return events;
}

}  // namespace

std::vector<Event> events(const store::Transaction& txn, const EventFilter& filter) {
  if (filter.job != 0) {
    if (const auto job = find_job(txn, filter.job)) return events_of_job(txn, filter, job->header.last_event);
  }
  std::vector<Event> events;
  if (filter.after == UINT64_MAX) return events;
  store::Cursor<EventKey> cursor(txn);
  for (bool more = cursor.seek({filter.after + 1}); more && events.size() < filter.limit; more = cursor.next()) {
    model::EventRecord record = model::decode_event(cursor.value());
    if (filter.job != 0 && record.job != filter.job) continue;
    if (is_wanted(filter, record)) events.push_back(to_event(txn, cursor.key().seq, std::move(record)));
  }
  return events;
}

}  // namespace tq::engine
