#include "worker/thread_pool.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

namespace tq::worker {

// Shared with the threads, so that one that was given up finds it alive whenever it returns.
struct ThreadPool::State {
  struct Work {
    Ticket ticket = 0;
    std::function<void()> run;
  };

  std::mutex mutex;
  std::condition_variable wake;   // there is work, or the end
  std::condition_variable ended;  // a thread has ended or was given up
  std::deque<Work> work;
  std::set<Ticket> running;
  std::set<Ticket> given_up;  // and not come back yet
  std::size_t limit = 0;
  std::size_t threads = 0;  // those given up do not count
  std::size_t idle = 0;
  Ticket next_ticket = 1;
  bool ending = false;

  void serve() {
    std::unique_lock lock(mutex);
    for (;;) {
      ++idle;
      wake.wait(lock, [&] { return ending || !work.empty(); });
      --idle;
      if (work.empty()) break;
      const Work next = std::move(work.front());
      work.pop_front();
      running.insert(next.ticket);
      lock.unlock();
      next.run();
      lock.lock();
      running.erase(next.ticket);
      if (given_up.erase(next.ticket) != 0) {
        if (threads == limit || ending) return;
        ++threads;
      }
    }
    --threads;
    ended.notify_all();
  }
};

ThreadPool::ThreadPool(std::size_t threads) : state_(std::make_shared<State>()) { state_->limit = threads; }

ThreadPool::~ThreadPool() {
  std::unique_lock lock(state_->mutex);
  state_->ending = true;
  state_->wake.notify_all();
  state_->ended.wait(lock, [&] { return state_->threads == 0; });
}

ThreadPool::Ticket ThreadPool::submit(std::function<void()> work) {
  const std::lock_guard lock(state_->mutex);
  const Ticket ticket = state_->next_ticket++;
  state_->work.push_back({ticket, std::move(work)});
  if (state_->work.size() > state_->idle && state_->threads < state_->limit) {
    ++state_->threads;
    std::thread([state = state_] { state->serve(); }).detach();
  }
  state_->wake.notify_one();
  return ticket;
}

void ThreadPool::give_up(Ticket ticket) {
  const std::lock_guard lock(state_->mutex);
  std::erase_if(state_->work, [ticket](const State::Work& waiting) { return waiting.ticket == ticket; });
  if (!state_->running.contains(ticket) || !state_->given_up.insert(ticket).second) return;
  --state_->threads;
  state_->ended.notify_all();
}

}  // namespace tq::worker
