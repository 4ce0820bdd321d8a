// Events as they happen.
#pragma once

#include <tq/task_queue.hpp>

#include <vector>

namespace tq::cli {

// One thread at a time. The store must outlive it.
class EventStream {
 public:
  // From the first event that the filter wants.
  EventStream(const TaskQueue& store, EventFilter filter) : store_(store), filter_(std::move(filter)) {}
  // From now on.
  static EventStream from_now(const TaskQueue& store, EventFilter filter);

  // Replaces `events` by the next ones, oldest first, a page at most; it may be empty although there were some, which the
  // filter does not want. False if nothing has happened since.
  bool next(std::vector<Event>& events);
  // Sleeps until something has happened; false after `timeout`.
  bool sleep(Duration timeout = Duration::max()) const;

 private:
  const TaskQueue& store_;
  EventFilter filter_;
};

}  // namespace tq::cli
