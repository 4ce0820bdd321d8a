// The verbs that look: one read transaction each.
#include "engine/check.hpp"
#include "engine/ledger.hpp"
#include "engine/output.hpp"
#include "engine/query.hpp"
#include "engine/workers.hpp"
#include "model/draft.hpp"
#include "queue/impl.hpp"
#include "store/page_check.hpp"

namespace tq {

std::optional<JobInfo> TaskQueue::get(JobId id) const { return engine::job_info(impl_->read(), id); }

std::optional<Payload> TaskQueue::payload(JobId id) const { return engine::payload(impl_->read(), id); }

std::optional<Command> TaskQueue::command(JobId id) const {
  const auto bytes = payload(id);
  if (!bytes) return std::nullopt;
  if (bytes->codec != "command") base::fail<Conflict>("job {} is not a command: its payload is '{}'", id, bytes->codec);
  return model::decode_command(*bytes);
}

std::optional<Result> TaskQueue::result(JobId id) const { return engine::result(impl_->read(), id); }

std::optional<std::string> TaskQueue::saved(JobId id) const { return engine::saved_state(impl_->read(), id); }

std::vector<JobInfo> TaskQueue::list(const JobFilter& filter) const { return engine::list(impl_->read(), filter); }

std::vector<LogChunk> TaskQueue::log(JobId id, std::uint64_t after, std::size_t max_bytes) const {
  const auto txn = impl_->read();
  const auto job = engine::find_job(txn, id);
  if (!job) base::fail<NotFound>("there is no job {}", id);
  return engine::output(txn, job->header, id, after, max_bytes);
}

std::vector<Reason> TaskQueue::why(JobId id) const {
  const auto alive = [this](WorkerId worker) { return impl_->environment->locks().worker_alive(worker); };
  return engine::why(impl_->read(), id, impl_->clock->now(), alive);
}

std::vector<Event> TaskQueue::events(const EventFilter& filter) const { return engine::events(impl_->read(), filter); }

std::vector<QueueInfo> TaskQueue::queues() const { return engine::queues(impl_->read()); }

std::optional<QueueInfo> TaskQueue::queue(std::string_view name) const { return engine::queue(impl_->read(), name); }

std::vector<WorkerInfo> TaskQueue::workers() const {
  std::vector<WorkerInfo> workers;
  for (const engine::KnownWorker& known : engine::known_workers(impl_->read())) {
    workers.push_back(engine::worker_info(known.id, known.record));
    workers.back().alive = impl_->environment->locks().worker_alive(known.id);
  }
  return workers;
}

Stats TaskQueue::stats() const {
  Stats stats = engine::stats(impl_->read());
  const store::Usage usage = impl_->environment->usage();
  stats.file_bytes = usage.file_bytes;
  stats.used_bytes = usage.used_bytes;
  for (const WorkerInfo& worker : workers()) stats.workers += worker.alive ? 1u : 0u;
  return stats;
}

CheckReport TaskQueue::check(bool deep) const {
  // Nothing may go along broken pages: not even what takes in the intake.
  if (auto problems = store::check_pages(*impl_->environment); !problems.empty()) return {std::move(problems), 0};
  return engine::check(impl_->read(), deep);
}

}  // namespace tq
