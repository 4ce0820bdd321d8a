#include "worker/thread_pool.hpp"

#include "base/thread.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

namespace tq::worker {
namespace {

constexpr std::size_t kWakeAfter = 64;  // pieces that were gathered

}  // namespace

// Shared with the threads, so that one that was given up finds it alive whenever it returns.
struct ThreadPool::State {
  struct Waiting {
    Ticket ticket = 0;
    std::shared_ptr<Work> work;
  };
  struct Running {
    Ticket ticket = 0;
    bool is_given_up = false;
  };

  mutable std::mutex mutex;
  std::condition_variable wake;   // there is work, or the end
  std::condition_variable ended;  // a thread has ended or was given up
  std::deque<Waiting> work;
  std::vector<Running> running;  // and given up, and not come back yet
  std::vector<std::shared_ptr<Work>> reports;
  std::function<void()> call;
  std::size_t limit = 0;
  std::size_t threads = 0;  // those given up do not count
  std::size_t busy = 0;     // of those
  std::uint64_t begun = 0;
  Ticket next_ticket = 1;
  bool hushed = false;
  bool gathers = false;
  bool ending = false;

  bool may_begin() const { return !work.empty() && (busy < limit || ending); }

  // Has threads for what may begin now; fewer, if the system gives no more. Throws if there is none at all.
  static void provide(const std::shared_ptr<State>& state) {
    while (state->threads < state->limit && state->work.size() > state->threads - state->busy) {
      try {
        base::start_thread([state] { state->serve(); }).detach();
        ++state->threads;
      } catch (const IoError&) {
        if (state->threads == 0) throw;
        break;
      }
    }
    if (state->may_begin()) state->wake.notify_one();
  }

  void serve() {
    std::unique_lock lock(mutex);
    for (;;) {
      wake.wait(lock, [&] { return ending || may_begin(); });
      if (work.empty()) break;
      Waiting next = std::move(work.front());
      work.pop_front();
      running.push_back({next.ticket});
      ++busy;
      ++begun;
      lock.unlock();
      next.work->run();
      lock.lock();
      const bool is_welcome = leave(next.ticket);
      const std::function<void()> caller = add(std::move(next.work));
      if (caller) {
        lock.unlock();
        caller();
        lock.lock();
      }
      if (!is_welcome) return;
    }
    --threads;
    ended.notify_all();
  }

  // Whoever ran this has come back. False if its thread is not needed any more.
  bool leave(Ticket ticket) {
    const auto it =
        std::find_if(running.begin(), running.end(), [&](const Running& one) { return one.ticket == ticket; });
    const bool was_given_up = it->is_given_up;
    *it = running.back();
    running.pop_back();
    if (!was_given_up) {
      --busy;
      return true;
    }
    if (threads >= limit || ending) return false;
    ++threads;
    return true;
  }

  // Returns whom to call, if anybody.
  std::function<void()> add(std::shared_ptr<Work> done) {
    reports.push_back(std::move(done));
    const bool is_reason = (reports.size() == 1 && !hushed) || reports.size() % kBatch == 0 || work.empty();
    return is_reason && !ending ? call : nullptr;
  }
};

ThreadPool::ThreadPool(std::size_t threads, std::function<void()> call) : state_(std::make_shared<State>()) {
  state_->limit = threads;
  state_->call = std::move(call);
}

ThreadPool::~ThreadPool() {
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->wake.notify_all();
  state_->ended.wait(lock, [&] { return state_->threads == 0; });
}

ThreadPool::Ticket ThreadPool::submit(std::shared_ptr<Work> work) {
  const std::lock_guard lock(state_->mutex);
  const Ticket ticket = state_->next_ticket++;
  state_->work.push_back({ticket, std::move(work)});
  if (!state_->gathers || state_->work.size() % kWakeAfter == 0) State::provide(state_);
  return ticket;
}

void ThreadPool::gather(bool on) {
  const std::lock_guard lock(state_->mutex);
  state_->gathers = on;
  State::provide(state_);
  if (!on) state_->wake.notify_all();
}

bool ThreadPool::withdraw(Ticket ticket) {
  const std::lock_guard lock(state_->mutex);
  return std::erase_if(state_->work, [ticket](const State::Waiting& waiting) { return waiting.ticket == ticket; }) != 0;
}

void ThreadPool::give_up(Ticket ticket) {
  if (withdraw(ticket)) return;
  const std::lock_guard lock(state_->mutex);
  for (State::Running& one : state_->running) {
    if (one.ticket != ticket || one.is_given_up) continue;
    one.is_given_up = true;
    --state_->threads;
    --state_->busy;
    state_->ended.notify_all();
    State::provide(state_);
  }
}

void ThreadPool::set_limit(std::size_t threads) {
  const std::lock_guard lock(state_->mutex);
  state_->limit = threads;
  State::provide(state_);
  state_->wake.notify_all();  // there may be work for more than one
}

std::vector<std::shared_ptr<ThreadPool::Work>> ThreadPool::take_reports() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->reports, {});
}

std::size_t ThreadPool::reports() const {
  const std::lock_guard lock(state_->mutex);
  return state_->reports.size();
}

std::size_t ThreadPool::waiting() const {
  const std::lock_guard lock(state_->mutex);
  return state_->work.size();
}

std::uint64_t ThreadPool::begun() const {
  const std::lock_guard lock(state_->mutex);
  return state_->begun;
}

void ThreadPool::hush(bool on) {
  bool has_reports = false;
  {
    const std::lock_guard lock(state_->mutex);
    has_reports = std::exchange(state_->hushed, on) && !on && !state_->reports.empty();
  }
  if (has_reports) state_->call();
}

}  // namespace tq::worker
