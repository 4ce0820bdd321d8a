#include "loop/doorbell.hpp"

#include "base/fail.hpp"
#include "base/fd.hpp"

#include <cerrno>
#include <climits>
#include <ctime>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

namespace tq::loop {

// On disk, in one page. Both fields begin at 0; nothing else is kept.
struct Doorbell::Page {
  std::atomic<std::uint32_t> rings;     // the counter that sleepers sleep on
  std::atomic<std::uint32_t> sleepers;  // at least as many as sleep; one that is killed is counted for ever
};

namespace {

constexpr std::size_t kPageBytes = 4096;

// Bit 7 of the topics is nobody's: the end of a BellThread of this process uses it together with a ring of all topics.
long futex(std::atomic<std::uint32_t>& word, int operation, std::uint32_t value, const timespec* until, Topics topics) {
  return ::syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), operation, value, until, nullptr, topics);
}

// The monotonic time after `span`.
timespec after(Duration span) {
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
    if (const int code = ::posix_fallocate(file.get(), 0, kPageBytes))
      base::throw_system("cannot write '" + path + "'", code);
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
  std::atomic<bool> ending = false;
  std::thread thread;
};

BellThread::BellThread(Doorbell& bell, Topics topics, std::function<void()> rung)
    : impl_(std::make_unique<Impl>(bell)) {
  impl_->thread = std::thread([impl = impl_.get(), topics, rung = std::move(rung), ticket = bell.ticket()]() mutable {
    while (!impl->ending.load()) {
      impl->bell.wait(ticket, topics);
      if (impl->ending.load()) break;
      ticket = impl->bell.ticket();
      rung();
    }
  });
}

BellThread::~BellThread() {
  impl_->ending.store(true);
  impl_->bell.ring(~Topics{0});  // others wake up for nothing, once
  impl_->thread.join();
}

}  // namespace tq::loop
