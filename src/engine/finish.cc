#include "engine/finish.hpp"

#include "base/clock.hpp"
#include "base/text.hpp"
#include "model/retry.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace tq::engine {
namespace {

// Why the follow-ups cannot all be enqueued, or nothing: asked before the first change, because a transaction holds the
// outcomes of other jobs too and must not be given up for this one.
std::optional<std::string> refusal(Ledger& ledger, const Job& ending, const std::vector<NewJob>& follow_ups) {
  std::map<std::string_view, std::uint64_t> wanted;
  for (const NewJob& job : follow_ups) ++wanted[job.draft.queue];
  for (const auto& [name, count] : wanted) {
    const auto number = ledger.find_queue(name);
    if (!number) continue;
    const model::QueueRecord& queue = ledger.queue(*number);
    const std::uint64_t others = queue.unfinished() - (*number == ending.stored.queue ? 1 : 0);
    if (queue.max_size == 0 || others + count <= queue.max_size) continue;
    return fmt::format("its {} follow-up jobs could not be added: queue '{}' is full: it has {} of at most {} jobs",
                       count, name, others, queue.max_size);
  }
  return std::nullopt;
}

void succeed(Ledger& ledger, Job& job, Outcome& outcome) {
  model::JobHeader& header = job.header();
  model::JobDetails details = model::decode_details(header, job.record.details);
  if (details.result_codec != outcome.result.codec) {
    details.result_codec = outcome.result.codec;
    job.record.details = model::encode_details(header, details);
  }
  job.record.error.clear();
  job.record.result = std::move(outcome.result.bytes);
  if (outcome.result_blob) {
    header.set(model::kResultIsBlob);
    store::put_blob(ledger.txn(), job.id, store::BlobKind::result, std::move(*outcome.result_blob));
  }
  ledger.finalize(job, State::succeeded);
  ledger.save(job, EventType::succeeded, {}, header.worker);
  for (NewJob& follow_up : outcome.follow_ups) enqueue(ledger, std::move(follow_up));
}

// A handler may have said any delay.
void wait(const Ledger& ledger, Job& job, State state, Duration delay) {
  model::JobHeader& header = job.header();
  header.state = state;
  header.due_ms = ledger.now_ms() + std::clamp(delay, Duration::zero(), kMaxDuration).count();
  header.started_ms = std::min(header.started_ms, ledger.now_ms());  // should the clock have been set back meanwhile
  header.set(model::kSpan);
}

void fail(Ledger& ledger, Job& job, const Outcome& outcome) {
  model::JobHeader& header = job.header();
  job.record.error = base::shorten(outcome.error, kMaxErrorBytes);
  const bool retries_left = header.attempt <= header.max_retries;
  if (outcome.for_good || !retries_left) {
    ledger.finalize(job, State::failed);
    ledger.save(job, EventType::failed, job.record.error, header.worker);
    return;
  }
  const Backoff backoff{header.backoff_kind, Duration(header.backoff_base_ms), Duration(header.backoff_cap_ms),
                        header.backoff_jitter_permille / 1000.0};
  const Duration delay =
      outcome.delay.value_or(model::retry_delay(backoff, header.attempt, model::retry_seed(job.id, header.attempt)));
  wait(ledger, job, State::retrying, delay);
  ledger.save(job, EventType::retrying, job.record.error, header.worker);
}

// Counts and logs it. To be saved afterwards.
void note_begin(Ledger& ledger, Job& job, Time when) {
  model::JobHeader& header = job.header();
  header.set(model::kAhead, false);
  header.set(model::kHasExitCode, false);
  header.started_ms = base::to_ms(when);
  ++header.attempt;
  ++ledger.totals().attempts;
  ledger.note(job, EventType::started, {}, header.worker);
}

// Back in the line as if this attempt had not been: what is to be said of it has been said.
void undo_attempt(Job& job) {
  model::JobHeader& header = job.header();
  header.state = State::ready;
  --header.attempt;
}

void snooze(Ledger& ledger, Job& job, Duration delay) {
  ledger.note(job, EventType::snoozed, {}, job.header().worker);
  undo_attempt(job);
  if (delay > Duration::zero()) wait(ledger, job, State::scheduled, delay);
  ledger.save_quietly(job);
}

void cancel(Ledger& ledger, Job& job, std::string_view reason) {
  job.record.error = base::shorten(reason, kMaxErrorBytes);
  ledger.finalize(job, State::cancelled);
  ledger.save(job, EventType::cancelled, job.record.error, job.header().worker);
}

}  // namespace

std::optional<Job> load_running(Ledger& ledger, const RunKey& key) {
  auto job = ledger.load(key.job);
  if (!job) return std::nullopt;
  const model::JobHeader& header = job->header();
  if (header.state != State::running || header.run != key.run || header.worker != key.worker) return std::nullopt;
  return job;
}

void begin(Ledger& ledger, Job& job, Time when) {
  note_begin(ledger, job, when);
  ledger.save_quietly(job);
}

bool begin(Ledger& ledger, const RunKey& key, Time when) {
  auto job = load_running(ledger, key);
  if (!job || !job->header().has(model::kAhead)) return false;
  begin(ledger, *job, when);
  return true;
}

void give_back(Ledger& ledger, Job& job) {
  model::JobHeader& header = job.header();
  header.set(model::kAhead, false);
  if (header.has(model::kCancelRequested)) {
    cancel(ledger, job, job.record.error);
    return;
  }
  header.state = State::ready;
  ledger.save_quietly(job);
}

bool finish(Ledger& ledger, const RunKey& key, Outcome outcome) {
  auto job = load_running(ledger, key);
  if (!job) return false;
  model::JobHeader& header = job->header();
  if (header.has(model::kAhead)) {
    if (outcome.kind == Outcome::Kind::interrupted && !outcome.began) {
      give_back(ledger, *job);
      return true;
    }
    note_begin(ledger, *job, outcome.began.value_or(ledger.now()));
  }
  const bool cancel_requested = header.has(model::kCancelRequested);
  header.exit_code = outcome.exit_code.value_or(0);
  header.set(model::kHasExitCode, outcome.exit_code.has_value());
  if (outcome.kind == Outcome::Kind::succeeded) {
    if (auto reason = refusal(ledger, *job, outcome.follow_ups)) {
      outcome = {.kind = Outcome::Kind::failed, .error = std::move(*reason)};
    }
  }
  switch (outcome.kind) {
    case Outcome::Kind::succeeded:
      succeed(ledger, *job, outcome);
      break;
    case Outcome::Kind::cancelled:
      cancel(ledger, *job, outcome.error);
      break;
    case Outcome::Kind::failed:
      // Somebody asked it to stop, and it did not succeed: that is the cancel, not a failure to be retried.
      if (cancel_requested) {
        cancel(ledger, *job, job->record.error);
      } else {
        fail(ledger, *job, outcome);
      }
      break;
    case Outcome::Kind::snoozed:
      cancel_requested ? cancel(ledger, *job, job->record.error)
                       : snooze(ledger, *job, outcome.delay.value_or(Duration::zero()));
      break;
    case Outcome::Kind::interrupted:
      if (cancel_requested) {
        cancel(ledger, *job, job->record.error);
      } else {
        ledger.note(*job, EventType::interrupted, outcome.error, header.worker);
        undo_attempt(*job);
        ledger.save_quietly(*job);
      }
      break;
  }
  return true;
}

void crash(Ledger& ledger, Job& job, std::uint32_t max_crashes, std::string_view cause) {
  model::JobHeader& header = job.header();
  if (header.has(model::kAhead)) note_begin(ledger, job, ledger.now());
  ++header.crashes;
  ++ledger.totals().crashes;
  if (header.has(model::kCancelRequested)) {
    cancel(ledger, job, job.record.error);
    return;
  }
  const WorkerId worker = header.worker;
  if (header.crashes >= max_crashes) {
    job.record.error =
        base::shorten(fmt::format("its worker died {} times with this job, the last time: {}", header.crashes, cause),
                      kMaxErrorBytes);
    ledger.finalize(job, State::failed);
    ledger.save(job, EventType::failed, job.record.error, worker);
    return;
  }
  job.record.error = base::shorten(cause, kMaxErrorBytes);
  ledger.note(job, EventType::crashed, cause, worker);
  undo_attempt(job);
  ledger.save_quietly(job);
}

bool save_state(Ledger& ledger, const RunKey& key, store::PreparedBlob bytes) {
  auto job = load_running(ledger, key);
  if (!job) return false;
  store::put_blob(ledger.txn(), key.job, store::BlobKind::saved, std::move(bytes));
  job->header().set(model::kHasSaved);
  ledger.save_quietly(*job);
  return true;
}

bool report_progress(Ledger& ledger, const RunKey& key, double fraction, std::string_view text) {
  auto job = load_running(ledger, key);
  if (!job) return false;
  model::JobHeader& header = job->header();
  const double bounded = fraction > 0 ? std::min(fraction, 1.0) : 0;  // 0 also for what is not a number
  header.last_event = ledger.log({.type = EventType::progress,
                                  .attempt = header.attempt,
                                  .queue = header.queue,
                                  .job = job->id,
                                  .worker = header.worker,
                                  .previous = header.last_event,
                                  .fraction_ppm = static_cast<std::uint32_t>(bounded * 1e6),
                                  .text = std::string(text)});
  ledger.save_quietly(*job);
  return true;
}

}  // namespace tq::engine
