#include "queue/impl.hpp"

#include "base/fd.hpp"
#include "engine/workers.hpp"
#include "loop/guard.hpp"
#include "loop/watch.hpp"
#include "store/page_check.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tq {

namespace {

// Waits for the end of a guard whose worker is gone: it has to kill what is left, which takes milliseconds.
bool ends_soon(std::int64_t guard) {
  constexpr int kPatienceMs = 2000;
  const base::Fd process(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(guard), 0)));
  if (guard == 0 || !process) return guard != 0;
  pollfd wanted{process.get(), POLLIN, 0};
  return ::poll(&wanted, 1, kPatienceMs) == 1;
}

}  // namespace

TaskQueue::Impl::Impl(const std::filesystem::path& given, OpenOptions given_options)
    : path(given),
      options(given_options),
      retention{given_options.keep_succeeded, given_options.keep_failed, given_options.keep_events},
      environment(store::Environment::open(given, {given_options.create, given_options.quota_bytes})),
      bell(std::make_unique<loop::Doorbell>(environment->side_path("-bell"))),
      clock(&base::system_clock()) {
  environment->raise_intake(engine::totals(environment->read()).next_job);
  rescue_dead();
}

void TaskQueue::Impl::take_in() {
  change(
      Room::spared, 0, [](engine::Ledger&) {}, store::Sync::relaxed);
}

store::ReadTransaction TaskQueue::Impl::read() {
  if (environment->intake_is_pending()) take_in();
  return environment->read();
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

void TaskQueue::Impl::make(Change change) {
  changes_.join(change, [this](std::span<Change* const> changes) { make_all(changes); });
  if (change.error) std::rethrow_exception(change.error);
}

void TaskQueue::Impl::make_all(std::span<Change* const> changes) {
  // Rings last, when the transaction is over and its lock free for whoever wakes up.
  struct Ring {
    loop::Doorbell& bell;
    loop::Topics topics = 0;
    ~Ring() {
      if (topics != 0) bell.ring(topics);
    }
  } ring{*bell};
  store::WriteTransaction txn = environment->write();
  std::size_t new_jobs = 0;
  for (const Change* change : changes) new_jobs += change->new_jobs;
  engine::Ledger ledger(txn, clock->now(), retention);
  engine::take_in(ledger, new_jobs);
  JobId next = ledger.totals().next_job;
  for (Change* change : changes) {
    if (change->new_jobs != 0) ledger.totals().next_job = next;
    next += change->new_jobs;
    const auto edit = [&] {
      if (change->room == Room::needed) txn.require_room();
      change->edit(ledger);
    };
    if (changes.size() == 1) {
      edit();
      continue;
    }
    try {
      ledger.attempt(edit);
    } catch (...) {
      change->error = std::current_exception();
    }
  }
  if (!ledger.changed()) return;
  ledger.close();
  const bool may_relax = std::all_of(changes.begin(), changes.end(),
                                     [](const Change* change) { return change->sync == store::Sync::relaxed; });
  txn.commit(may_relax ? store::Sync::relaxed : store::Sync::full);
  ring.topics = topics(ledger.touched());
}

Begun& TaskQueue::Impl::begun() {
  std::call_once(begun_once_, [this] { begun_ = std::make_unique<Begun>(environment->side_path("-begun")); });
  return *begun_;
}

void TaskQueue::Impl::kill_leftovers(WorkerId worker) {
  const auto record = engine::worker_record(environment->read(), worker);
  if (!record || record->token.empty() || environment->locks().worker_alive(worker)) return;
  loop::kill_leftovers(record->token);
}

void TaskQueue::Impl::rescue(engine::Ledger& ledger, WorkerId worker, std::string_view how) {
  const auto record = engine::worker_record(ledger.txn(), worker);
  if (!record || environment->locks().worker_alive(worker)) return;
  const std::string cause = fmt::format("worker {} (pid {}) {}", worker, record->pid, how.empty() ? "died" : how);
  engine::rescue(ledger, worker, cause, [&](JobId job) { return begun().has_begun(worker, job); });
}

void TaskQueue::Impl::refuse_broken_pages() const {
  const auto problems = store::check_pages(*environment);
  if (problems.empty()) return;
  base::fail<Damaged>("'{}' is damaged: {}; the jobs of a worker that died are left as they are", path.native(),
                      problems.front());
}

std::size_t TaskQueue::Impl::rescue_dead() {
  const auto known = engine::known_workers(environment->read());
  std::size_t dead = 0;
  for (const engine::KnownWorker& worker : known) {
    if (environment->locks().worker_alive(worker.id)) {
      // Its process may be gone, and its guard about to end: nobody else may be there to look again in a moment.
      const bool is_gone = loop::process_started(worker.record.pid) != worker.record.pid_started;
      if (!is_gone || !ends_soon(worker.record.guard_pid)) continue;
      if (environment->locks().worker_alive(worker.id)) continue;
    }
    // What is to be changed, a death of the machine may have damaged, and nobody else has looked at it since.
    if (dead == 0) refuse_broken_pages();
    kill_leftovers(worker.id);
    change(Room::spared, [&](engine::Ledger& ledger) { rescue(ledger, worker.id, {}); });
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
