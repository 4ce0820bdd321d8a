#include "loop/doorbell.hpp"

#include "base/fail.hpp"
#include "base/fd.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace tq::loop {

// In the file, shared by all processes. Both fields begin at 0; nothing else is kept.
struct Doorbell::Page {
  std::atomic<std::uint32_t> rings;  // the counter that sleepers sleep on
  std::atomic<std::uint32_t>
      sleepers;  // at least as many as sleep; one that is killed is counted for ever, and costs each
                 // ring a system call
};
static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(Doorbell::Page) == 8);

namespace {

constexpr std::size_t kPageBytes = 4096;

// Nobody's topic: rung at the end of a BellThread, and heard by all of them, so that only those wake up for nothing.
constexpr Topics kTopicThreadEnds = 1u << 7;

long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* until, Topics topics) {
  return ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, until, nullptr, topics);
}

// The monotonic time after `span`.
timespec after(Duration span) {
  span = std::max(span, Duration::zero());
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t nanoseconds = now.tv_nsec + span.count() % 1000 * 1'000'000;
  return {now.tv_sec + span.count() / 1000 + nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
}

}  // namespace

Doorbell::Doorbell(const std::string& path) {
  base::Fd file;
  if (!path.empty()) {
    file = base::open_file(path, O_RDWR | O_CREAT);
    if (::ftruncate(file.get(), kPageBytes) != 0) base::throw_system("cannot size '" + path + "'", errno);
    // A hole would be a SIGBUS on a full disk.
    const int code = ::posix_fallocate(file.get(), 0, kPageBytes);
    if (code != 0) base::throw_system("cannot write '" + path + "'", code);
  }
  const int flags = MAP_SHARED | (file ? 0 : MAP_ANONYMOUS);
  void* page = ::mmap(nullptr, kPageBytes, PROT_READ | PROT_WRITE, flags, file.get(), 0);
  if (page == MAP_FAILED) base::throw_system("cannot map '" + path + "'", errno);
  page_ = static_cast<Page*>(page);
}

Doorbell::~Doorbell() { ::munmap(page_, kPageBytes); }

std::uint32_t Doorbell::ticket() const { return page_->rings.load(); }

void Doorbell::ring(Topics topics) {
  // Sequentially consistent, as in wait(): either the sleeper is seen here, or it sees the new count there.
  page_->rings.fetch_add(1);
  if (page_->sleepers.load() != 0) futex(page_->rings, FUTEX_WAKE_BITSET, INT_MAX, nullptr, topics);
}

bool Doorbell::wait(std::uint32_t ticket, Topics topics, Duration timeout) {
  if (page_->rings.load() != ticket) return true;
  const bool endless = timeout > kMaxDuration;
  const timespec until = endless ? timespec{} : after(timeout);
  page_->sleepers.fetch_add(1);
  long result = 0;
  int code = 0;
  do {
    result = futex(page_->rings, FUTEX_WAIT_BITSET, ticket, endless ? nullptr : &until, topics);
    code = result == 0 ? 0 : errno;
  } while (code == EINTR);
  page_->sleepers.fetch_sub(1);
  return code != ETIMEDOUT;
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
    impl_->thread = std::thread([impl = impl_.get(), ticket = bell.ticket()] { impl->run(ticket); });
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
