#include "worker/attempt.hpp"

#include "base/clock.hpp"
#include "base/time_text.hpp"

#include <fmt/core.h>

namespace tq::worker {

Attempt::Attempt(loop::EventLoop& loop, engine::Claimed claimed, WorkerId worker, std::uint64_t log_limit_bytes)
    : claimed_(std::move(claimed)),
      key_{claimed_.id, claimed_.record.header.run, worker},
      output_(claimed_.record.header.log_bytes + claimed_.record.header.log_dropped_bytes, log_limit_bytes),
      loop_(loop) {}

void Attempt::begin(AttemptEvents events, Duration kill_grace) {
  events_ = std::move(events);
  kill_grace_ = kill_grace;
  start();
}

void Attempt::start_timeout() {
  const std::int64_t timeout_ms = claimed_.record.header.timeout_ms;
  if (timeout_ms <= 0 || stop_ != Stop::none) return;
  timeout_.emplace(loop_, [this] { stop(Stop::timeout); });
  timeout_->start(Duration(timeout_ms));
}

void Attempt::stop(Stop reason, int signal) {
  if (stop_ != Stop::none) return;
  stop_ = reason;
  if (timeout_) timeout_->cancel();
  ask_to_stop(signal);
  if (!force_) force_.emplace(loop_, [this] { force(); });
  force_->start(kill_grace_);
}

std::optional<Time> Attempt::take_begin() {
  if (begin_is_taken_ || !claimed_.record.header.has(model::kAhead)) return std::nullopt;
  const std::optional<Time> time = began();
  begin_is_taken_ = time.has_value();
  return time;
}

std::optional<ProgressPart> Attempt::take_progress() {
  auto progress = std::move(progress_);
  progress_.reset();
  return progress;
}

void Attempt::end(engine::Outcome outcome, bool crashed) {
  if (timeout_) timeout_->cancel();
  if (force_) force_->cancel();
  outcome = in_memory([&] { return judge(std::move(outcome)); });
  // The owner destroys this object in there: nothing may follow.
  const auto ended = events_.ended;
  ended(std::move(outcome), crashed);
}

void Attempt::add_output(Stream stream, std::string_view bytes) {
  output_.add(base::system_clock().now(), stream, bytes);
  events_.has_news();
}

void Attempt::set_progress(double fraction, std::string text) {
  progress_ = ProgressPart{key_, fraction, std::move(text)};
  events_.has_news();
}

// What a stop makes of the outcome. A success that came in spite of a cancel or a shutdown stands: the work is done.
engine::Outcome Attempt::judge(engine::Outcome outcome) const {
  using Kind = engine::Outcome::Kind;
  if (stop_ == Stop::timeout) {
    const Duration timeout(claimed_.record.header.timeout_ms);
    const bool has_reason = outcome.kind == Kind::failed && !outcome.error.empty();
    const std::string reason = has_reason ? fmt::format(" ({})", outcome.error) : "";
    return {.kind = Kind::failed,
            .error = fmt::format("timed out after {}{}", base::format_duration(timeout), reason),
            .exit_code = outcome.exit_code};
  }
  if (stop_ == Stop::shutdown && outcome.kind != Kind::succeeded && outcome.kind != Kind::cancelled) {
    return {.kind = Kind::interrupted, .error = "its worker stopped"};
  }
  return outcome;
}

}  // namespace tq::worker
