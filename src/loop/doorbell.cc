#include "loop/doorbell.hpp"

#include "base/futex.hpp"
#include "base/thread.hpp"

#include <csignal>
#include <thread>

namespace tq::loop {

// In the file, shared by all processes. All fields begin at 0; nothing else is kept.
struct Doorbell::Page {
  std::atomic<std::uint32_t> rings;  // the counter that sleepers sleep on
  std::atomic<std::uint32_t>
      sleepers;  // at least as many as sleep; one that is killed is counted for ever, and costs each
                 // ring a system call
  std::atomic<std::uint32_t> worker_rings;  // those of kTopicWorkers
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(Doorbell::Page) == 12);

namespace {

constexpr std::size_t kPageBytes = 4096;

// Nobody's topic: rung at the end of a BellThread, and heard by all of them, so that only those wake up for nothing.
constexpr Topics kTopicThreadEnds = 1u << 7;

}  // namespace

Doorbell::Doorbell(const std::string& path) : map_(path, kPageBytes), page_(static_cast<Page*>(map_.get())) {}
Doorbell::~Doorbell() = default;

std::uint32_t Doorbell::ticket() const { return page_->rings.load(); }

std::uint32_t Doorbell::worker_rings() const { return page_->worker_rings.load(); }

void Doorbell::ring(Topics topics) {
  // Sequentially consistent, as in wait(): either the sleeper is seen here, or it sees the new count there.
  if ((topics & kTopicWorkers) != 0) page_->worker_rings.fetch_add(1);
  page_->rings.fetch_add(1);
  if (page_->sleepers.load() != 0) base::futex_wake(page_->rings, topics);
}

bool Doorbell::wait(std::uint32_t ticket, Topics topics, Duration timeout) {
  if (page_->rings.load() != ticket) return true;
  page_->sleepers.fetch_add(1);
  const bool rung = base::futex_wait(page_->rings, ticket, topics, timeout);
  page_->sleepers.fetch_sub(1);
  return rung;
}

struct BellThread::Impl {
  Doorbell& bell;
  const Topics topics;
  const std::function<void()> rung;
  std::atomic<bool> ending = false;
  std::thread thread;

  void run(std::uint32_t ticket) {
    for (;;) {
      bell.wait(ticket, topics | kTopicThreadEnds);
      // Before anybody looks at anything: what is rung from here on is heard by the next wait.
      ticket = bell.ticket();
      if (ending.load()) return;
      rung();
    }
  }
};

BellThread::BellThread(Doorbell& bell, Topics topics, std::function<void()> rung)
    : impl_(std::make_unique<Impl>(bell, topics, std::move(rung))) {
  // The thread takes none of the host's signals: it begins with all of them blocked.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    impl_->thread = base::start_thread([impl = impl_.get(), ticket = bell.ticket()] { impl->run(ticket); });
  } catch (...) {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

BellThread::~BellThread() {
  impl_->ending.store(true);
  impl_->bell.ring(kTopicThreadEnds);  // moves the counter too: it is not missed by a thread that is about to sleep
  impl_->thread.join();
}

}  // namespace tq::loop
