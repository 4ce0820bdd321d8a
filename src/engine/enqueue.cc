#include "engine/enqueue.hpp"

namespace tq::engine {

NewJob prepare(store::Environment& environment, model::Draft draft) {
  NewJob job{std::move(draft), std::nullopt};
  if (job.draft.payload.size() > model::kInlineBytes) {
    job.payload.emplace(environment, std::move(job.draft.payload));
    job.draft.payload.clear();
  }
  return job;
}

JobId enqueue(Ledger& ledger, NewJob job) {
  model::Draft& draft = job.draft;
  const std::uint32_t queue = ledger.find_or_make_queue(draft.queue);
  const model::QueueRecord& line = ledger.queue(queue);
  if (line.max_size != 0 && line.unfinished() >= line.max_size) {
    base::fail<QueueFull>("queue '{}' is full: it has {} of at most {} jobs", draft.queue, line.unfinished(),
                          line.max_size);
  }
  model::JobRecord record;
  record.header = draft.header;
  record.header.queue = queue;
  record.header.task = ledger.find_or_make_task(draft.task);
  record.header.set(model::kPayloadIsBlob, job.payload.has_value());
  record.details = model::encode_details(record.header, draft.details);
  record.payload = std::move(draft.payload);
  const JobId id = ledger.add(std::move(record));
  if (job.payload) store::put_blob(ledger.txn(), id, store::BlobKind::payload, std::move(*job.payload));
  return id;
}

}  // namespace tq::engine
