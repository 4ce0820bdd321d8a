// tq::Context, as handlers see it: each verb is carried to the loop or to the store by its Impl.
#include "base/text.hpp"
#include "engine/query.hpp"
#include "model/draft.hpp"
#include "store/blob.hpp"
#include "worker/context_impl.hpp"

namespace tq {

JobId Context::id() const { return impl_->key.job; }
std::uint32_t Context::attempt() const { return impl_->attempt; }
const std::string& Context::queue() const { return impl_->queue_name; }
const std::string& Context::task() const { return impl_->task; }
std::stop_token Context::stop_token() const { return impl_->stop.get_token(); }
std::optional<Time> Context::deadline() const { return impl_->deadline; }

void Context::progress(double fraction, std::string_view text) {
  auto post = [self = impl_->shared_from_this(), fraction, text = base::shorten(text, kMaxErrorBytes)]() mutable {
    if (self->on_progress) self->on_progress(fraction, std::move(text));
  };
  impl_->say(std::move(post));
}

void Context::log(std::string_view text) {
  std::string line(text);
  if (!line.ends_with('\n')) line += '\n';
  impl_->say([self = impl_->shared_from_this(), line = std::move(line)]() mutable {
    if (self->on_output) self->on_output(Stream::note, std::move(line));
  });
}

void Context::save(std::string bytes) {
  impl_->with_queue([&](TaskQueue::Impl& queue) {
    if (bytes.size() > queue.options.max_blob_bytes) {
      base::fail<InvalidArgument>("saved state: {} bytes are more than the limit of {}", bytes.size(),
                                  queue.options.max_blob_bytes);
    }
    store::PreparedBlob blob(*queue.environment, std::move(bytes));
    const bool is_held = queue.change(
        Room::needed, [&](engine::Ledger& ledger) { return engine::save_state(ledger, impl_->key, std::move(blob)); });
    if (!is_held) base::fail<Conflict>("job {} is not this worker's any more", impl_->key.job);
  });
}

std::optional<std::string> Context::saved() const {
  return impl_->with_queue(
      [&](TaskQueue::Impl& queue) { return engine::saved_state(queue.environment->read(), impl_->key.job); });
}

void Context::enqueue(std::string_view task, Payload payload, const EnqueueOptions& options) {
  impl_->add_follow_up(impl_->with_queue([&](TaskQueue::Impl& queue) {
    model::Draft draft =
        model::draft(task, std::move(payload), options, queue.clock->now(), queue.options.max_blob_bytes);
    return engine::prepare(*queue.environment, std::move(draft));
  }));
}

void Context::enqueue(const Command& command, const EnqueueOptions& options) {
  enqueue(kExecTask, model::encode_command(command, kMaxBlobBytes), options);
}

}  // namespace tq
