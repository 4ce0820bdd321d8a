#include "cli/wait_many.hpp"

#include "base/fail.hpp"
#include "cli/countdown.hpp"
#include "cli/event_stream.hpp"
#include "cli/follow.hpp"
#include "cli/job_text.hpp"
#include "cli/json_values.hpp"
#include "cli/progress.hpp"

#include <unordered_set>

namespace tq::cli {
namespace {

std::vector<EventType> endings() {
  return {EventType::succeeded, EventType::failed, EventType::cancelled, EventType::expired};
}

State state_of(EventType ending) {
  switch (ending) {
    case EventType::succeeded:
      return State::succeeded;
    case EventType::failed:
      return State::failed;
    case EventType::cancelled:
      return State::cancelled;
    default:
      return State::expired;
  }
}

// How a job ended, by its event: it may have been removed since, or sent round again.
Result result_of(const Event& event) { return {state_of(event.type), {}, event.text, {}}; }

Result result_of(const JobInfo& job) { return {job.state, {}, job.error, job.exit_code}; }

int give_up(Session& session, const Countdown& countdown, Progress& progress) {
  if (!countdown.is_over()) return kDone;
  progress.clear();
  session.words("tq: timed out");
  return kTimedOut;
}

// Counts what ends, and says it.
class Tally {
 public:
  Tally(Session& session, const TaskQueue& store, const WaitOptions& options)
      : session_(session), store_(store), any_(options.any), progress_(session.err_terminal(), options.progress) {}

  void ended(JobId id, const Result& result) {
    ++ended_;
    const bool is_bad = result.state != State::succeeded;
    if (is_bad) ++bad_;
    if (session_.json() || any_ || is_bad) progress_.clear();
    if (session_.json()) {
      session_.out().line(to_json(id, full(id, result)).text());
      session_.out().flush();
    } else {
      if (any_) session_.out().line(std::to_string(id));
      if (is_bad) session_.words(fmt::format("tq: job {} {}", id, printable(ending(result))));
    }
  }

  void show_progress(std::uint64_t left) {
    const std::uint64_t total = ended_ + left;
    const double fraction = total == 0 ? 1 : static_cast<double>(ended_) / static_cast<double>(total);
    const std::string bad = bad_ == 0 ? "" : fmt::format(", {} did not succeed", bad_);
    progress_.show(fmt::format("{} {} of {} done{}", bar(fraction), ended_, total, bad));
  }

  bool is_enough() const { return any_ && ended_ != 0; }
  int exit_code() const { return bad_ == 0 ? kDone : kNotSucceeded; }
  Progress& progress() { return progress_; }

 private:
  // With the exit code, which events do not have.
  Result full(JobId id, const Result& result) const {
    const auto job = store_.get(id);
    return job && is_final(job->state) ? result_of(*job) : result;
  }

  Session& session_;
  const TaskQueue& store_;
  const bool any_;
  std::uint64_t ended_ = 0;
  std::uint64_t bad_ = 0;
  Progress progress_;
};

// Sleeps through the events of one job and shows how far it says it is. Nothing after the time-out.
std::optional<Result> watch_one(const TaskQueue& store, JobId id, const Countdown& countdown, Progress& progress) {
  EventFilter filter;
  filter.job = id;
  EventStream stream(store, filter);
  std::vector<Event> events;
  for (;;) {
    auto result = store.result(id);
    if (result || countdown.is_over()) return result;
    while (stream.next(events)) {
      for (const Event& event : events) {
        const bool has_fraction = event.type == EventType::progress;
        const std::string text =
            has_fraction ? bar(event.fraction) + ' ' + event.text : std::string(to_string(event.type));
        progress.show(fmt::format("job {} {}", id, printable(text)));
      }
    }
    stream.sleep(std::min(countdown.left(), progress.refresh()));
  }
}

}  // namespace

int wait_for_one(Session& session, const TaskQueue& store, JobId id, const WaitOptions& options) {
  std::optional<Result> result;
  if (options.progress) {
    Progress progress(session.err_terminal(), true);
    result = watch_one(store, id, Countdown(options.timeout), progress);
  } else {
    result = store.wait(id, options.timeout.value_or(Duration::max()));
  }
  if (!result) {
    session.words(fmt::format("tq: timed out: job {} is not over", id));
    return kTimedOut;
  }
  if (options.any && !session.json()) session.out().line(std::to_string(id));
  return report(session, id, *result);
}

int wait_for_jobs(Session& session, const TaskQueue& store, const std::vector<JobId>& ids, const WaitOptions& options) {
  const Countdown countdown(options.timeout);
  Tally tally(session, store, options);
  EventFilter filter;
  filter.types = endings();
  // First the place in the log, then the jobs: what ends in between is in both.
  auto stream = EventStream::from_now(store, filter);
  std::unordered_set<JobId> left;
  for (const JobId id : ids) {
    const auto job = store.get(id);
    if (!job) base::fail<NotFound>("there is no job {}", id);
    if (!is_final(job->state)) {
      left.insert(id);
    } else if (!tally.is_enough()) {
      tally.ended(id, result_of(*job));
    }
  }
  std::vector<Event> events;
  while (!left.empty() && !tally.is_enough()) {
    tally.show_progress(left.size());
    stream.sleep(std::min(countdown.left(), tally.progress().refresh()));
    while (!tally.is_enough() && stream.next(events)) {
      for (const Event& event : events) {
        if (!tally.is_enough() && left.erase(event.job) != 0) tally.ended(event.job, result_of(event));
      }
    }
    if (left.empty() || tally.is_enough()) break;
    if (const int code = give_up(session, countdown, tally.progress()); code != kDone) return code;
  }
  return tally.exit_code();
}

int wait_until_idle(Session& session, const TaskQueue& store, const std::optional<std::string>& queue,
                    const WaitOptions& options) {
  const auto unfinished = [&] {
    std::uint64_t count = 0;
    for (const QueueInfo& info : store.queues()) count += !queue || info.name == *queue ? info.unfinished() : 0;
    return count;
  };
  if (queue && !store.queue(*queue)) base::fail<NotFound>("there is no queue '{}'", *queue);
  const Countdown countdown(options.timeout);
  Tally tally(session, store, options);
  EventFilter filter;
  filter.types = endings();
  auto stream = EventStream::from_now(store, filter);
  std::vector<Event> events;
  for (;;) {
    // First the count, then the events that led to it.
    const std::uint64_t left = unfinished();
    while (!tally.is_enough() && stream.next(events)) {
      for (const Event& event : events) {
        const bool is_ours = !queue || event.queue == *queue;
        if (is_ours && !tally.is_enough()) tally.ended(event.job, result_of(event));
      }
    }
    if (left == 0 || tally.is_enough()) return tally.exit_code();
    tally.show_progress(left);
    if (const int code = give_up(session, countdown, tally.progress()); code != kDone) return code;
    stream.sleep(std::min(countdown.left(), tally.progress().refresh()));
  }
}

}  // namespace tq::cli
