#include "base/time_text.hpp"
#include "cli/event_stream.hpp"
#include "cli/json_values.hpp"
#include "cli/verbs.hpp"

namespace tq::cli {
namespace {

// One line, in columns of a fixed width: a log that goes on cannot know what comes.
std::string to_line(const Event& event) {
  std::string line = fmt::format("{} {:>8} {:<16}", base::format_time(event.time), event.seq, to_string(event.type));
  if (event.job != 0) line += fmt::format(" job {}", event.job);
  if (event.attempt != 0) line += fmt::format(" attempt {}", event.attempt);
  if (event.worker != 0) line += fmt::format(" worker {}", event.worker);
  if (event.job == 0 && !event.queue.empty()) line += fmt::format(" queue {}", printable(event.queue));
  if (event.type == EventType::progress) line += fmt::format(" {:.0f} %", event.fraction * 100);
  if (!event.text.empty()) line.append(": ").append(printable(event.text));
  return line;
}

class Events : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.flag("-f,--follow", follows_, "go on with what happens from now on");
    parameters.option(
        "--since", "TIME", [this](const std::string& text) { filter_.since = read_past(text); },
        "only from this time on; 10m means ten minutes ago");
    parameters.option("--from", "SEQ", from_, "only from this number on");
    parameters.option("--job", "ID", filter_.job, "only of this job", Offer::jobs);
    parameters.option("--type", "TYPE[,TYPE]", filter_.types, "only of these types", Offer::event_types);
  }

  int run(Session& session) override {
    const TaskQueue& store = session.store();
    if (from_ > 1) filter_.after = from_ - 1;
    EventStream stream(store, filter_);
    for (std::vector<Event> events;;) {
      while (stream.next(events)) {
        for (const Event& event : events) session.out().line(session.json() ? to_json(event).text() : to_line(event));
      }
      session.out().flush();
      if (!follows_) return kDone;
      stream.sleep();
    }
  }

 private:
  EventFilter filter_;
  EventSeq from_ = 0;
  bool follows_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_events() { return std::make_unique<Events>(); }

}  // namespace tq::cli
