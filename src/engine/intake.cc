#include "engine/intake.hpp"

#include "store/blob.hpp"

namespace tq::engine {
namespace {

// The record is as it is going to be stored, but for a payload of middling size: that is still in it.
void add(Ledger& ledger, JobId id, std::string_view bytes) {
  model::JobRecord record = model::decode_job(bytes);
  std::optional<store::PreparedBlob> payload;
  if (record.payload.size() > model::kInlineBytes) {
    payload.emplace(ledger.txn().environment(), std::move(record.payload));
    record.payload.clear();
    record.header.set(model::kPayloadIsBlob);
  }
  ledger.totals().next_job = id;
  const std::int64_t added_ms = record.header.enqueued_ms;
  ledger.add(std::move(record), added_ms);
  if (payload) store::put_blob(ledger.txn(), id, store::BlobKind::payload, std::move(*payload));
}

}  // namespace

std::optional<IntakeJob> to_intake(const store::Transaction& txn, const model::Draft& draft) {
  if (draft.payload.size() >= store::kSideFileBytes) return std::nullopt;
  const auto queue = find_queue(txn, draft.queue);
  const auto task = find_task(txn, draft.task);
  if (!queue || !task || queue_record(txn, *queue).max_size != 0) return std::nullopt;
  model::JobRecord record;
  record.header = draft.header;
  record.header.queue = *queue;
  record.header.task = *task;
  record.details = model::encode_details(record.header, draft.details);
  record.payload = draft.payload;
  return IntakeJob{*queue, model::encode(record)};
}

void take_in(Ledger& ledger, std::size_t count) {
  const std::uint64_t next = ledger.totals().next_job;
  const auto add_one = [&ledger](std::uint64_t number, std::string_view record) { add(ledger, number, record); };
  const std::uint64_t first = ledger.txn().take_in(count, next, add_one);
  if (count != 0) ledger.totals().next_job = first;
}

}  // namespace tq::engine
