#include "engine/due.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <vector>

namespace tq::engine {
namespace {

// A clock that is put right by no more than this has not been set back.
constexpr Duration kClockSlack = std::chrono::seconds{1};

// The first `limit` jobs of a time index whose time is not after `now_ms`. Collected first, because what is done to them
// changes the index.
template <class Key>
std::vector<JobId> passed(const store::Transaction& txn, std::int64_t now_ms, std::size_t limit) {
  std::vector<JobId> jobs;
  store::Cursor<Key> cursor(txn);
  for (bool more = cursor.first(); more && jobs.size() < limit; more = cursor.next()) {
    const Key key = cursor.key();
    if (std::get<0>(Key::fields(key)) > now_ms) break;
    jobs.push_back(key.job);
  }
  return jobs;
}

template <class Key>
std::optional<Time> first_time(const store::Transaction& txn) {
  store::Cursor<Key> cursor(txn);
  if (!cursor.first()) return std::nullopt;
  const Key key = cursor.key();
  return base::from_ms(std::get<0>(Key::fields(key)));
}

Job load_indexed(Ledger& ledger, JobId id) {
  auto job = ledger.load(id);
  if (!job) base::fail<Damaged>("job {} is in an index of times but has no record", id);
  return std::move(*job);
}

// Jobs that began to wait at a time that is still to come: the clock has been set back since. They would be stuck for as long
// as that was, so they wait anew. And what is said to have been in the future cannot have been.
std::size_t begin_waits_anew(Ledger& ledger, std::size_t limit) {
  const std::int64_t now_ms = ledger.now_ms();
  std::vector<JobId> jobs;
  store::Cursor<SpanKey> cursor(ledger.txn());
  for (bool more = cursor.last(); more && jobs.size() < limit; more = cursor.prev()) {
    const SpanKey key = cursor.key();
    if (key.since_ms <= now_ms + kClockSlack.count()) break;
    jobs.push_back(key.job);
  }
  for (const JobId id : jobs) {
    Job job = load_indexed(ledger, id);
    model::JobHeader& header = job.header();
    header.due_ms = now_ms + (header.due_ms - waiting_since(header));
    header.enqueued_ms = std::min(header.enqueued_ms, now_ms);
    if (header.started_ms != 0) header.started_ms = std::min(header.started_ms, now_ms);
    ledger.save(job, EventType::changed, "the clock was set back: its wait begins anew");
  }
  return jobs.size();
}

std::int64_t time_of(const store::Transaction& txn, EventSeq seq) {
  const auto bytes = store::get(txn, EventKey{seq});
  if (!bytes) base::fail<Damaged>("event {} is missing", seq);
  return model::decode_event(*bytes).time_ms;
}

// Events may bear times that are still to come: the clock has been set back since. They are older than what was logged
// afterwards. Returns the first such event after `first`, which is one from the future, or the newest.
EventSeq end_of_future(const store::Transaction& txn, EventSeq first, EventSeq newest, std::int64_t now_ms) {
  while (first < newest) {
    const EventSeq middle = first + (newest - first) / 2;
    if (time_of(txn, middle) > now_ms) {
      first = middle + 1;
    } else {
      newest = middle;
    }
  }
  return first;
}

bool remove_old_events(Ledger& ledger, std::size_t limit) {
  const std::int64_t before_ms = ledger.now_ms() - ledger.retention().events.count();
  std::vector<EventKey> old;
  store::Cursor<EventKey> cursor(ledger.txn());
  if (!cursor.first()) return false;
  EventSeq older_than = 0;
  if (model::decode_event(cursor.value()).time_ms > ledger.now_ms()) {
    const EventSeq end = end_of_future(ledger.txn(), cursor.key().seq, ledger.totals().next_event - 1, ledger.now_ms());
    if (time_of(ledger.txn(), end) < before_ms) older_than = end;
  }
  for (bool more = true; more && old.size() < limit; more = cursor.next()) {
    const EventKey key = cursor.key();
    if (key.seq >= older_than && model::decode_event(cursor.value()).time_ms >= before_ms) break;
    old.push_back(key);
  }
  for (const EventKey& key : old) ledger.forget_event(key);
  return old.size() == limit;
}

}  // namespace

std::size_t fire_due(Ledger& ledger, std::size_t limit) {
  const std::size_t anew = begin_waits_anew(ledger, limit);
  const auto expired = passed<ExpiryKey>(ledger.txn(), ledger.now_ms(), limit);
  for (const JobId id : expired) {
    Job job = load_indexed(ledger, id);
    ledger.finalize(job, State::expired);
    ledger.save(job, EventType::expired, "its deadline to start passed");
  }
  const auto due = passed<DueKey>(ledger.txn(), ledger.now_ms(), limit);
  for (const JobId id : due) {
    Job job = load_indexed(ledger, id);
    job.header().state = State::ready;
    ledger.save(job, EventType::due);
  }
  return std::max({expired.size(), due.size(), anew});
}

Collected collect(Ledger& ledger, std::size_t limit) {
  const auto jobs = passed<KeepKey>(ledger.txn(), ledger.now_ms(), limit);
  for (const JobId id : jobs) {
    Job job = load_indexed(ledger, id);
    ledger.remove(job);
  }
  const bool more_events = remove_old_events(ledger, limit);
  return {jobs.size(), jobs.size() == limit || more_events};
}

std::optional<Time> next_due(const store::Transaction& txn) {
  const auto due = first_time<DueKey>(txn);
  const auto expiry = first_time<ExpiryKey>(txn);
  if (due && expiry) return std::min(*due, *expiry);
  return due ? due : expiry;
}

std::optional<Time> next_keep(const store::Transaction& txn) { return first_time<KeepKey>(txn); }

}  // namespace tq::engine
