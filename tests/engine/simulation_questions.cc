// What a step that only looks asks of the engine and of the plain model.
#include "simulation_run.hpp"

#include "engine/claim.hpp"
#include "engine/due.hpp"
#include "engine/workers.hpp"

#include <fmt/format.h>

namespace tq::engine {
namespace {

std::string in_a_row(const std::vector<JobId>& numbers) { return fmt::format("{}", fmt::join(numbers, " ")); }

}  // namespace

void Simulation::ask(const Step& step) {
  const Numbers numbers(step);
  switch (step.verb) {
    case Verb::look:
      return look(numbers);
    case Verb::list:
      return list(numbers);
    case Verb::events:
      return events(numbers);
    case Verb::why:
      return why(numbers);
    default:
      return output(numbers);
  }
}

void Simulation::look(Numbers numbers) {
  const store::ReadTransaction txn = store_.read();
  const JobId id = some_job(numbers);
  if (plain_.jobs.contains(id)) {
    compare_job(txn, id);
  } else {
    same("a job that is not there", false, job_info(txn, id).has_value() || payload(txn, id).has_value());
  }
  const WorkerId worker = some_worker(numbers);
  same("what the worker has in hand", in_a_row(plain_.of_worker(worker)), in_a_row(jobs_of(txn, worker)));
  same("whether there is a worker", plain_.workers.contains(worker), worker_record(txn, worker).has_value());
  const std::vector<std::string> names = numbers.some_of(kQueues);
  same("whether there is something to claim", plain_.has_ready(names), engine::has_ready(txn, names));
  same("when something is due", plain_.next_due() == engine::next_due(txn), true);
  same("when retention ends", plain_.next_keep() == engine::next_keep(txn), true);
}

void Simulation::list(Numbers numbers) {
  JobFilter filter;
  if (numbers.chance(60)) filter.states.resize(1 + numbers.below(3));
  for (State& state : filter.states) state = numbers.pick(kStates);
  if (numbers.chance(40)) filter.queue = numbers.pick(kQueues);
  if (numbers.chance(40)) filter.task = numbers.pick(kTasks);
  if (numbers.chance(40)) filter.label = numbers.pick(kLabels);
  if (numbers.chance(40)) filter.before = some_job(numbers);
  filter.limit = numbers.maybe(50).value_or(1000) % 1001;
  if (filter.limit > 20) filter.limit = 1000;
  if (!filter.queue.empty() && !plain_.queues.contains(filter.queue)) return;
  std::vector<JobId> found;
  for (const JobInfo& job : engine::list(store_.read(), filter)) found.push_back(job.id);
  same("the list", in_a_row(plain_.list(filter)), in_a_row(found));
}

void Simulation::events(Numbers numbers) {
  EventFilter filter;
  const EventSeq newest = plain_.stats.last_event;
  if (const auto back = numbers.maybe(70)) filter.after = newest - std::min<EventSeq>(*back % 100, newest);
  if (const auto ago = numbers.maybe(30)) filter.since = plain_.now - Duration(*ago % 20'000);
  if (numbers.chance(50)) filter.job = some_job(numbers);
  if (numbers.chance(30)) filter.types = {static_cast<EventType>(1 + numbers.below(23)), EventType::enqueued};
  filter.limit = 1 + numbers.below(20);
  std::vector<EventSeq> found;
  for (const Event& event : engine::events(store_.read(), filter)) found.push_back(event.seq);
  same("the events", in_a_row(plain_.events(filter)), in_a_row(found));
}

void Simulation::why(Numbers numbers) {
  const JobId id = some_job(numbers);
  if (!plain_.jobs.contains(id)) return;
  const WorkerId dead = numbers.chance(30) ? some_worker(numbers) : 0;
  const auto alive = [&](WorkerId worker) { return worker != dead; };
  std::string found;
  for (const Reason& reason : engine::why(store_.read(), id, plain_.now, alive)) {
    found += (found.empty() ? "" : " ") + reason.code;
  }
  same("why", plain_.why(id, alive), found);
}

void Simulation::output(Numbers numbers) {
  const JobId id = some_job(numbers);
  if (!plain_.jobs.contains(id)) return;
  const std::uint64_t after = numbers.below(8);
  const std::size_t most = numbers.maybe(50).value_or(1 << 20);
  const store::ReadTransaction txn = store_.read();
  const auto found = engine::output(txn, find_job(txn, id)->header, id, after, most);
  const auto expected = plain_.jobs.at(id).output.read(after, most);
  same("the number of pieces of output", expected.size(), found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const LogChunk& chunk = found[i];
    const LogChunk& right = expected[i];
    same("the number of a piece of output", right.seq, chunk.seq);
    same("its stream", static_cast<int>(right.stream), static_cast<int>(chunk.stream));
    same("its time", right.time == chunk.time, true);
    if (chunk.stream == Stream::note) continue;
    same("its attempt", right.attempt, chunk.attempt);
    same("what was written", right.bytes == chunk.bytes, true);
  }
}

}  // namespace tq::engine
