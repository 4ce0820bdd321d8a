#include "worker/handler_attempt.hpp"

#include "base/clock.hpp"
#include "engine/query.hpp"
#include "worker/context_impl.hpp"

#include <cstdlib>
#include <cxxabi.h>
#include <fmt/core.h>
#include <typeinfo>

namespace tq::worker {
namespace {

using engine::Outcome;

std::string type_name(const std::exception& error) {
  int status = 0;
  char* name = abi::__cxa_demangle(typeid(error).name(), nullptr, nullptr, &status);
  std::string text = status == 0 ? name : typeid(error).name();
  std::free(name);
  return text;
}

Outcome outcome_of(const Verdict& verdict) {
  switch (verdict.kind) {
    case Verdict::Kind::fail:
      return {.kind = Outcome::Kind::failed, .error = verdict.reason, .for_good = true};
    case Verdict::Kind::retry:
      return {.kind = Outcome::Kind::failed, .error = verdict.reason, .delay = verdict.delay};
    case Verdict::Kind::snooze:
      return {.kind = Outcome::Kind::snoozed, .delay = verdict.delay};
    case Verdict::Kind::cancel:
      break;
  }
  return {.kind = Outcome::Kind::cancelled, .error = verdict.reason};
}

// A large result goes to disk here, on the handler's thread.
Outcome success(Context::Impl& context, Payload result) {
  Outcome outcome;
  context.with_queue([&](TaskQueue::Impl& queue) {
    if (result.bytes.size() > queue.options.max_blob_bytes) {
      outcome = {.kind = Outcome::Kind::failed,
                 .error = fmt::format("its result has {} bytes, more than the limit of {}", result.bytes.size(),
                                      queue.options.max_blob_bytes),
                 .for_good = true};
      return;
    }
    if (result.bytes.size() > model::kInlineBytes) {
      outcome.result_blob.emplace(*queue.environment, std::move(result.bytes));
      result.bytes.clear();
    }
    outcome.result = std::move(result);
  });
  outcome.follow_ups = context.take_follow_ups();
  return outcome;
}

// Small ones came with the claim.
Payload payload_of(Context::Impl& impl) {
  if (!impl.payload_is_blob)
    return {model::decode_details(impl.header, impl.details).payload_codec, std::move(impl.payload)};
  return impl.with_queue([&](TaskQueue::Impl& queue) {
    return engine::payload(queue.environment->read(), impl.key.job).value_or(Payload{});
  });
}

// The one place where the exceptions of user code end.
Outcome call(const Handler& handler, Context::Impl& impl) {
  try {
    const Payload payload = payload_of(impl);
    Context context(impl);
    return success(impl, handler(payload, context));
  } catch (const Verdict& verdict) {
    return outcome_of(verdict);
  } catch (const std::exception& error) {
    return {.kind = Outcome::Kind::failed, .error = fmt::format("{}: {}", type_name(error), error.what())};
  } catch (...) {
    return {.kind = Outcome::Kind::failed, .error = "the handler threw something that is no std::exception"};
  }
}

}  // namespace

// What the handler's thread has of it.
class HandlerAttempt::Call final : public Context::Impl, public ThreadPool::Work {
 public:
  explicit Call(std::shared_ptr<const Handler> handler) : handler_(std::move(handler)) {}
  void run() override {
    begin();
    outcome = call(*handler_, *this);
    finish();
  }
  void report() override { tell_end(); }

 private:
  const std::shared_ptr<const Handler> handler_;
};

HandlerAttempt::HandlerAttempt(loop::EventLoop& loop, engine::Claimed claimed, WorkerId worker,
                               std::uint64_t log_limit_bytes, ThreadPool& pool, std::shared_ptr<Mailbox> mailbox,
                               TaskQueue::Impl& queue, std::shared_ptr<const Handler> handler)
    : Attempt(loop, std::move(claimed), worker, log_limit_bytes),
      pool_(pool),
      call_(std::make_shared<Call>(std::move(handler))) {
  const model::JobHeader& header = this->claimed().record.header;
  call_->key = key();
  call_->attempt = header.attempt;
  call_->queue_name = this->claimed().queue;
  call_->task = this->claimed().task;
  call_->timeout = Duration(header.timeout_ms);
  const bool has_begun = !header.has(model::kAhead);  // for the store
  if (has_begun && header.timeout_ms > 0) call_->deadline = base::from_ms(header.started_ms + header.timeout_ms);
  call_->mailbox = std::move(mailbox);
  call_->open(queue);
}

HandlerAttempt::~HandlerAttempt() {
  if (!began()) pool_.withdraw(ticket_);
  call_->close();
}

bool HandlerAttempt::withdraw() { return !began() && pool_.withdraw(ticket_); }

std::optional<Time> HandlerAttempt::began() const {
  const std::int64_t began_ms = call_->began_ms.load();
  if (began_ms == Context::Impl::kNotYet) return std::nullopt;
  return base::from_ms(began_ms);
}

std::chrono::microseconds HandlerAttempt::ran_for() const { return std::chrono::microseconds(call_->ran_us.load()); }

void HandlerAttempt::start() {
  call_->on_output = [this](Stream stream, const std::string& bytes) { add_output(stream, bytes); };
  call_->on_progress = [this](double fraction, std::string text) { set_progress(fraction, std::move(text)); };
  call_->on_begin = [this] { start_timeout(); };
  call_->on_end = [this](engine::Outcome outcome) { end(std::move(outcome)); };
  call_->header = record().header;
  call_->details = std::move(record().details);
  call_->payload = std::move(record().payload);
  call_->payload_is_blob = claimed().record.header.has(model::kPayloadIsBlob);
  ticket_ = pool_.submit(call_);
}

void HandlerAttempt::ask_to_stop(int) { call_->stop.request_stop(); }

void HandlerAttempt::force() {
  pool_.give_up(ticket_);
  end({.kind = Outcome::Kind::failed,
       .error = "its handler did not stop when it was asked to, and goes on without the job"});
}

}  // namespace tq::worker
