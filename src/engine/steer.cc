#include "engine/steer.hpp"

#include "base/clock.hpp"
#include "base/text.hpp"

#include "store/blob.hpp"

#include <algorithm>
#include <vector>

namespace tq::engine {
namespace {

Job require(Ledger& ledger, JobId id) {
  auto job = ledger.load(id);
  if (!job) base::fail<NotFound>("there is no job {}", id);
  return std::move(*job);
}

std::uint32_t require_queue(Ledger& ledger, std::string_view name) {
  const auto number = ledger.find_queue(name);
  if (!number) base::fail<NotFound>("there is no queue '{}'", name);
  return *number;
}

bool waits(State state) { return !is_final(state) && state != State::running && state != State::forwarded; }

void start_anew(Ledger& ledger, Job& job) {
  model::JobHeader& header = job.header();
  if (header.has(model::kResultIsBlob)) store::erase_blob(ledger.txn(), job.id, store::BlobKind::result);
  header.set(model::kResultIsBlob, false);
  header.set(model::kHasExitCode, false);
  header.exit_code = 0;
  header.attempt = 0;
  header.crashes = 0;
  header.finished_ms = 0;
  header.keep_until_ms = 0;
  header.expires_ms = 0;  // it was wanted now, whatever its deadline was
  job.record.result.clear();
  job.record.error.clear();
}

}  // namespace

CancelOutcome cancel(Ledger& ledger, JobId id, std::string_view reason, int signal) {
  auto job = ledger.load(id);
  if (!job) return CancelOutcome::no_such_job;
  model::JobHeader& header = job->header();
  if (is_final(header.state)) return CancelOutcome::already_final;
  job->record.error = base::shorten(reason, kMaxErrorBytes);
  if (header.state == State::running) {
    header.set(model::kCancelRequested);
    header.exit_code = signal;               // no exit code is known yet: until then this is the signal to begin with
    header.set(model::kHasExitCode, false);  // nor is it that of an earlier attempt, if it was claimed ahead
    ledger.save(*job, EventType::cancel_requested, job->record.error, header.worker);
    ledger.touched().workers = true;
    return CancelOutcome::requested;
  }
  ledger.finalize(*job, State::cancelled);
  ledger.save(*job, EventType::cancelled, job->record.error);
  return CancelOutcome::cancelled;
}

std::optional<CancelRequest> cancel_request(const model::JobHeader& header) {
  if (header.state != State::running || !header.has(model::kCancelRequested)) return std::nullopt;
  return CancelRequest{header.exit_code};
}

void retry(Ledger& ledger, JobId id) {
  Job job = require(ledger, id);
  model::JobHeader& header = job.header();
  const bool waits_for_time = header.state == State::scheduled || header.state == State::retrying;
  if (!is_final(header.state) && !waits_for_time) {
    base::fail<Conflict>("job {} is {}: only a final, scheduled or retrying job can be sent round again", id,
                         to_string(header.state));
  }
  if (is_final(header.state)) start_anew(ledger, job);
  header.state = State::ready;
  header.due_ms = ledger.now_ms();
  ledger.save(job, EventType::retried);
}

void remove(Ledger& ledger, JobId id) {
  Job job = require(ledger, id);
  if (!is_final(job.header().state)) {
    base::fail<Conflict>("job {} is {}: only a final job can be removed (cancel it first)", id,
                         to_string(job.header().state));
  }
  ledger.remove(job);
}

void change(Ledger& ledger, JobId id, const JobChange& change) {
  Job job = require(ledger, id);
  model::JobHeader& header = job.header();
  if (!waits(header.state)) {
    base::fail<Conflict>("job {} is {}: only a waiting job can be changed", id, to_string(header.state));
  }
  if (change.queue) {
    const std::uint32_t queue = ledger.find_or_make_queue(*change.queue);
    const model::QueueRecord& line = ledger.queue(queue);
    if (queue != header.queue && line.max_size != 0 && line.unfinished() >= line.max_size) {
      base::fail<QueueFull>("queue '{}' is full: it has {} of at most {} jobs", *change.queue, line.unfinished(),
                            line.max_size);
    }
    header.queue = queue;
  }
  if (change.priority) header.priority = *change.priority;
  if (change.at) {
    header.due_ms = std::max(base::to_ms(*change.at), ledger.now_ms());
    header.set(model::kSpan, false);
    const bool later = header.due_ms > ledger.now_ms();
    if (later && header.state == State::ready) header.state = State::scheduled;
    if (!later && header.state != State::blocked) header.state = State::ready;
  }
  if (change.labels) {
    model::JobDetails details = model::decode_details(job.header(), job.record.details);
    details.labels = *change.labels;
    job.record.details = model::encode_details(job.header(), details);
  }
  ledger.save(job, EventType::changed);
}

void pause(Ledger& ledger, std::string_view queue) {
  const std::uint32_t number = ledger.find_or_make_queue(queue);
  model::QueueRecord& record = ledger.queue(number);
  if (record.paused) return;
  record.paused = true;
  ledger.log({.type = EventType::queue_paused, .queue = number});
}

void resume(Ledger& ledger, std::string_view queue) {
  const std::uint32_t number = require_queue(ledger, queue);
  model::QueueRecord& record = ledger.queue(number);
  if (!record.paused) return;
  record.paused = false;
  ledger.log({.type = EventType::queue_resumed, .queue = number});
  ledger.touched().queues.insert(number);
}

void configure(Ledger& ledger, std::string_view queue, const QueueSettings& settings) {
  const std::uint32_t number = ledger.find_or_make_queue(queue);
  model::QueueRecord& record = ledger.queue(number);
  if (record.max_size == settings.max_size) return;
  record.max_size = settings.max_size;
  ledger.log({.type = EventType::queue_changed, .queue = number});
}

Purged purge(Ledger& ledger, std::string_view queue, std::optional<State> state, JobId after, std::size_t limit) {
  if (state == State::running || state == State::forwarded) {
    base::fail<Conflict>("jobs that are {} cannot be purged: cancel them", to_string(*state));
  }
  const std::uint32_t number = require_queue(ledger, queue);
  std::vector<JobId> found;
  Purged purged;
  std::size_t looked_at = 0;
  store::Cursor<JobKey> cursor(ledger.txn());
  for (bool more = cursor.seek(JobKey{after + 1}); more; more = cursor.next()) {
    const JobId id = cursor.key().job;
    const model::JobHeader header = model::decode_job_header(cursor.value());
    if (header.queue == number && (state ? header.state == *state : waits(header.state))) found.push_back(id);
    if (found.size() == limit || ++looked_at == limit * 100) {
      purged.next = id;
      break;
    }
  }
  for (const JobId id : found) {
    Job job = require(ledger, id);
    ledger.remove(job);
  }
  purged.jobs = found.size();
  return purged;
}

std::uint64_t purge_dead(Ledger& ledger, std::optional<Time> older_than, std::size_t limit) {
  std::vector<JobId> found;
  store::Cursor<FinalKey> cursor(ledger.txn());
  const auto failed = static_cast<std::uint8_t>(State::failed);
  for (bool more = cursor.seek({failed, INT64_MIN, 0}); more && found.size() < limit; more = cursor.next()) {
    const FinalKey key = cursor.key();
    if (key.state != failed || (older_than && key.finished_ms >= base::to_ms(*older_than))) break;
    found.push_back(key.job);
  }
  for (const JobId id : found) {
    Job job = require(ledger, id);
    ledger.remove(job);
  }
  return found.size();
}

}  // namespace tq::engine
