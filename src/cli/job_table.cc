#include "cli/job_table.hpp"

#include "base/clock.hpp"
#include "cli/job_text.hpp"
#include "cli/json_values.hpp"
#include "cli/table.hpp"

namespace tq::cli {
namespace {

// "3m ago", "for 12s", "in 5m": when it changed last, or will.
std::string when(const JobInfo& job, Time now) {
  if (job.finished) return short_duration(now - *job.finished) + " ago";
  if (job.state == State::running && job.started) return "for " + short_duration(now - *job.started);
  const bool waits_for_time = job.state == State::scheduled || job.state == State::retrying;
  if (waits_for_time && job.due) return "in " + short_duration(std::max(*job.due - now, Duration::zero()));
  return short_duration(now - job.enqueued) + " ago";
}

std::string attempts(const JobInfo& job) {
  return job.max_retries == 0 ? std::to_string(job.attempt) : fmt::format("{}/{}", job.attempt, job.max_retries + 1);
}

std::string what(const TaskQueue& store, const JobInfo& job) {
  std::string text = describe(store, job);
  for (const std::string& label : job.labels) text.append(" #").append(label);
  return text;
}

// Whether they have been printed as what needs no table.
bool print_plainly(Session& session, const TaskQueue& store, const std::vector<JobInfo>& jobs) {
  if (!session.json() && !session.quiet()) return false;
  for (const JobInfo& job : jobs) {
    session.out().line(session.json() ? to_json(job, command_of(store, job)).text() : std::to_string(job.id));
  }
  return true;
}

}  // namespace

void print_jobs(Session& session, const TaskQueue& store, const std::vector<JobInfo>& jobs) {
  if (print_plainly(session, store, jobs)) return;
  const Time now = base::system_clock().now();
  Table table({{"ID", true}, {"STATE"}, {"QUEUE"}, {"WHEN", true}, {"TRY", true}, {"JOB"}});
  for (const JobInfo& job : jobs) {
    table.row({{std::to_string(job.id)},
               {std::string(to_string(job.state)), colour_of(job.state)},
               {job.queue},
               {when(job, now)},
               {attempts(job)},
               {what(store, job)}});
  }
  if (!table.empty()) table.print(session.out(), session.out_terminal(), true);
}

void print_dead(Session& session, const TaskQueue& store, const std::vector<JobInfo>& jobs) {
  if (print_plainly(session, store, jobs)) return;
  const Time now = base::system_clock().now();
  Table table({{"ID", true}, {"QUEUE"}, {"WHEN", true}, {"TRY", true}, {"ERROR"}, {"JOB"}});
  for (const JobInfo& job : jobs) {
    table.row({{std::to_string(job.id)},
               {job.queue},
               {when(job, now)},
               {attempts(job)},
               {job.error, Colour::red},
               {what(store, job)}});
  }
  if (!table.empty()) table.print(session.out(), session.out_terminal(), true);
}

}  // namespace tq::cli
