// The verbs that add.
#include "engine/enqueue.hpp"
#include "model/draft.hpp"
#include "queue/impl.hpp"

namespace tq {

JobId TaskQueue::Impl::add_to_intake(const model::Draft& draft) {
  const auto job = engine::to_intake(environment->read(), draft);
  if (!job) return 0;
  // A worker may begin it before it is durable here: taking it in makes it so there.
  const auto ring = [&] { bell->ring(loop::topic_of_queue(job->queue) | loop::kTopicEvents); };
  const auto [number, fills_up] = environment->add_to_intake(job->record, ring);
  if (number == 0) return 0;
  if (fills_up) change(Room::spared, [](engine::Ledger& ledger) { ledger.mark_changed(); });
  return number;
}

JobId TaskQueue::enqueue(std::string_view task, Payload payload, const EnqueueOptions& options) {
  const std::size_t max_blob_bytes = impl_->options.max_blob_bytes;
  model::Draft draft = model::draft(task, std::move(payload), options, impl_->clock->now(), max_blob_bytes);
  if (const JobId id = impl_->add_to_intake(draft)) return id;
  auto job = engine::prepare(*impl_->environment, std::move(draft));
  return impl_->change(Room::needed, 1,
                       [&](engine::Ledger& ledger) { return engine::enqueue(ledger, std::move(job)); });
}

JobId TaskQueue::enqueue(const Command& command, const EnqueueOptions& options) {
  return enqueue(kExecTask, model::encode_command(command, impl_->options.max_blob_bytes), options);
}

std::vector<JobId> TaskQueue::enqueue_many(std::span<const JobSpec> jobs) {
  const Time now = impl_->clock->now();
  std::vector<engine::NewJob> prepared;
  prepared.reserve(jobs.size());
  for (const JobSpec& job : jobs) {
    model::Draft draft = model::draft(job.task, job.payload, job.options, now, impl_->options.max_blob_bytes);
    prepared.push_back(engine::prepare(*impl_->environment, std::move(draft)));
  }
  return impl_->change(Room::needed, prepared.size(), [&](engine::Ledger& ledger) {
    std::vector<JobId> ids;
    ids.reserve(prepared.size());
    for (engine::NewJob& job : prepared) ids.push_back(engine::enqueue(ledger, std::move(job)));
    return ids;
  });
}

}  // namespace tq
