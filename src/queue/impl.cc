#include "queue/impl.hpp"

#include "engine/workers.hpp"
#include "loop/guard.hpp"

#include <fmt/core.h>

namespace tq {

TaskQueue::Impl::Impl(const std::filesystem::path& given, OpenOptions given_options)
    : path(given),
      options(given_options),
      retention{given_options.keep_succeeded, given_options.keep_failed, given_options.keep_events},
      environment(store::Environment::open(given, {given_options.create, given_options.quota_bytes})),
      bell(std::make_unique<loop::Doorbell>(environment->side_path("-bell"))),
      clock(&base::system_clock()) {
  rescue_dead();
}

loop::Topics TaskQueue::Impl::topics(const engine::Touched& touched) {
  loop::Topics topics = 0;
  for (const std::uint32_t queue : touched.queues) topics |= loop::topic_of_queue(queue);
  if (touched.finals) topics |= loop::kTopicFinal;
  if (touched.output) topics |= loop::kTopicLog;
  if (touched.events) topics |= loop::kTopicEvents;
  if (touched.workers) topics |= loop::kTopicWorkers;
  return topics;
}

loop::Topics TaskQueue::Impl::finish(store::WriteTransaction& txn, engine::Ledger& ledger) {
  if (!ledger.changed()) return 0;
  ledger.close();
  txn.commit();
  return topics(ledger.touched());
}

std::size_t TaskQueue::Impl::rescue_dead() {
  const auto known = engine::known_workers(environment->read());
  std::size_t dead = 0;
  for (const engine::KnownWorker& worker : known) {
    if (environment->locks().worker_alive(worker.id)) continue;
    // First nothing of it runs any more, then its jobs may run again.
    if (!worker.record.token.empty()) loop::kill_leftovers(worker.record.token);
    const std::string cause = fmt::format("worker {} (pid {}) died", worker.id, worker.record.pid);
    change(Room::spared, [&](engine::Ledger& ledger) { engine::rescue(ledger, worker.id, cause); });
    ++dead;
  }
  return dead;
}

TaskQueue::TaskQueue(const std::filesystem::path& path, OpenOptions options)
    : impl_(std::make_unique<Impl>(path, options)) {}
TaskQueue::~TaskQueue() = default;
TaskQueue::TaskQueue(TaskQueue&&) noexcept = default;
TaskQueue& TaskQueue::operator=(TaskQueue&&) noexcept = default;

const std::filesystem::path& TaskQueue::path() const { return impl_->path; }

}  // namespace tq
