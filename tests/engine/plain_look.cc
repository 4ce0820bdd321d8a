// Of the plain model: what can be asked of it.
#include "plain_model.hpp"

#include <algorithm>
#include <tuple>

namespace tq::engine {
namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<JobId> PlainModel::of_worker(WorkerId worker) const {
  const auto is_its = [&](const Job& job) { return job.state == State::running && job.worker == worker; };
  return search(
      is_its, [](const Job& job) { return job.id; }, SIZE_MAX);
}

std::vector<JobId> PlainModel::list(const JobFilter& filter) const {
  const auto is_listed = [&](const Job& job) {
    const bool in_state = std::find(filter.states.begin(), filter.states.end(), job.state) != filter.states.end();
    return (filter.states.empty() || in_state) && (filter.queue.empty() || filter.queue == job.queue) &&
           (filter.task.empty() || filter.task == job.task) &&
           (filter.label.empty() || contains(job.labels, filter.label)) &&
           (filter.before == 0 || job.id < filter.before);
  };
  return search(
      is_listed, [](const Job& job) { return ~job.id; }, filter.limit);
}

std::vector<EventSeq> PlainModel::events(const EventFilter& filter) const {
  std::vector<EventSeq> found;
  for (const Event& event : log) {
    if (found.size() == filter.limit) break;
    const bool is_type =
        filter.types.empty() || std::find(filter.types.begin(), filter.types.end(), event.type) != filter.types.end();
    const bool is_of_job = filter.job == 0 || filter.job == event.job;
    const bool is_in_time = event.seq > filter.after && (!filter.since || event.time >= *filter.since);
    if (is_type && is_of_job && is_in_time) found.push_back(event.seq);
  }
  return found;
}

std::string PlainModel::why(JobId id, const std::function<bool(WorkerId)>& alive) const {
  const Job& job = jobs.at(id);
  if (is_final(job.state)) return "final";
  if (job.state == State::running) return job.ahead ? "slots" : "running";
  std::string reasons;
  if (job.state != State::ready) reasons += " time";
  if (queues.at(job.queue).paused) reasons += " paused";
  const auto place = [](const Job& one) { return std::tuple(-std::int64_t{one.priority}, one.due, one.id); };
  const auto is_before = [&](const auto& entry) {
    const Job& other = entry.second;
    return other.state == State::ready && other.queue == job.queue && other.task == job.task &&
           place(other) < place(job);
  };
  if (job.state == State::ready && std::any_of(jobs.begin(), jobs.end(), is_before)) reasons += " behind";
  bool has_worker = false;
  std::size_t slots = 0;
  std::size_t busy = 0;
  for (const auto& [worker, known] : workers) {
    if (known.stopping || !alive(worker) || !contains(known.tasks, job.task)) continue;
    if (!known.queues.empty() && !contains(known.queues, job.queue)) continue;
    has_worker = true;
    slots += known.concurrency;
    busy += of_worker(worker).size();
  }
  if (!has_worker) reasons += " no_worker";
  if (has_worker && busy >= slots) reasons += " slots";
  return reasons.empty() ? reasons : reasons.substr(1);
}

bool PlainModel::has_ready(const std::vector<std::string>& names) const {
  return std::any_of(queues.begin(), queues.end(), [&](const auto& entry) {
    const auto& [name, queue] = entry;
    const bool is_asked = names.empty() || contains(names, name);
    return is_asked && !queue.paused && count(name, [](State state) { return state == State::ready; }) != 0;
  });
}

bool PlainModel::may_expire(const Job& job) {
  return job.expires && !job.started && job.state != State::running && !is_final(job.state);
}

std::optional<Time> PlainModel::next_due() const {
  std::optional<Time> next;
  const auto is_at = [&](Time time) { next = std::min(next.value_or(time), time); };
  for (const auto& [id, job] : jobs) {
    if (job.state == State::scheduled || job.state == State::retrying) is_at(job.due);
    if (may_expire(job)) is_at(*job.expires);
  }
  return next;
}

std::optional<Time> PlainModel::next_keep() const {
  std::optional<Time> next;
  for (const auto& [id, job] : jobs) {
    if (is_final(job.state)) next = std::min(next.value_or(job.keep_until), job.keep_until);
  }
  return next;
}

}  // namespace tq::engine
