#include "cli/event_stream.hpp"

namespace tq::cli {

EventStream EventStream::from_now(const TaskQueue& store, EventFilter filter) {
  filter.after = store.wait_events(0, Duration::zero());
  return {store, std::move(filter)};
}

bool EventStream::next(std::vector<Event>& events) {
  const EventSeq newest = store_.wait_events(filter_.after, Duration::zero());
  if (newest == filter_.after) return false;
  events = store_.events(filter_);
  // A page that is not full has seen everything up to `newest`, and perhaps more.
  const bool is_full = events.size() == filter_.limit;
  const EventSeq last = events.empty() ? 0 : events.back().seq;
  filter_.after = is_full ? last : std::max(newest, last);
  return true;
}

bool EventStream::sleep(Duration timeout) const { return store_.wait_events(filter_.after, timeout) != filter_.after; }

}  // namespace tq::cli
