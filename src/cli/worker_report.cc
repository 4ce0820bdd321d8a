#include "cli/worker_report.hpp"

#include "cli/event_stream.hpp"
#include "cli/job_text.hpp"

namespace tq::cli {
namespace {

// The end of a worker is an event too, so this is only for one that failed to say so.
constexpr Duration kLookAgain = std::chrono::seconds{1};

Colour colour_of(EventType type) {
  switch (type) {
    case EventType::succeeded:
      return Colour::green;
    case EventType::failed:
    case EventType::crashed:
      return Colour::red;
    case EventType::retrying:
      return Colour::yellow;
    default:
      return Colour::none;
  }
}

std::vector<EventType> told() {
  return {EventType::started,     EventType::retrying,  EventType::succeeded,
          EventType::failed,      EventType::crashed,   EventType::snoozed,
          EventType::interrupted, EventType::cancelled, EventType::worker_stopped};
}

}  // namespace

WorkerReport::WorkerReport(const Session& session, const TaskQueue& store, const Worker& worker)
    : session_(session), store_(store), worker_(worker) {
  const EventSeq now = store.wait_events(0, Duration::zero());
  thread_ = std::thread([this, now] { watch(now); });
}

WorkerReport::~WorkerReport() {
  ends_ = true;
  thread_.join();
}

void WorkerReport::watch(EventSeq after) {
  EventFilter filter;
  filter.after = after;
  filter.types = told();
  EventStream stream(store_, filter);
  std::vector<Event> events;
  try {
    for (bool is_last = false; !is_last;) {
      is_last = ends_;
      while (stream.next(events)) take(std::move(events), false);
      if (is_last) take({}, true);
      if (!is_last) stream.sleep(kLookAgain);
    }
  } catch (const Error& error) {
    complain(error.what());  // the worker itself goes on, or says what is wrong
  }
}

void WorkerReport::take(std::vector<Event> events, bool is_last) {
  early_.insert(early_.end(), events.begin(), events.end());
  if (self_ == 0) self_ = worker_.id();
  if (self_ == 0 && is_last) {
    // It was there for so short a time that nobody saw it: the one that has come and gone since.
    for (const Event& event : early_) {
      if (event.type == EventType::worker_stopped) self_ = event.worker;
    }
  }
  if (self_ == 0) return;
  for (const Event& event : early_) {
    if (event.worker == self_ && event.job != 0) say(event);
  }
  early_.clear();
}

void WorkerReport::say(const Event& event) {
  std::string text = event.text;
  const auto job = store_.get(event.job);
  if (event.type == EventType::started && job) text = describe(store_, *job);
  if (event.type != EventType::started && job && job->started) {
    text += fmt::format("{}({})", text.empty() ? "" : " ", took(event.time - *job->started));
  }
  const Terminal& terminal = session_.err_terminal();
  const std::string type = terminal.paint(colour_of(event.type), fmt::format("{:<11}", to_string(event.type)));
  const std::string line = fmt::format("{} {:>6} ", local_time(event.time).substr(11), event.job);
  const std::string shown = printable(text);
  const std::size_t used = line.size() + 12;
  const bool is_cut = terminal.width > used;
  session_.words(fmt::format("{}{} {}", line, type, is_cut ? cut_to_width(shown, terminal.width - used) : shown));
}

}  // namespace tq::cli
