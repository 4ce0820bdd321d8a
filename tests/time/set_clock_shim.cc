// Preloaded beside libfaketime, which fakes what the time is but tells nobody when that jumps. A kernel does: a timer of the
// wall clock that asked for it (TFD_TIMER_CANCEL_ON_SET) becomes readable when somebody sets the clock, and the read fails
// with ECANCELED. So does this, whenever the file that FAKETIME_TIMESTAMP_FILE names is put in place anew; unless
// TQ_TEST_DEAF is set.
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>
#include <mutex>
#include <string>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <thread>
#include <unistd.h>

namespace {

constexpr int kMostFds = 4096;
constexpr std::int64_t kNanoseconds = 1'000'000'000;

enum State : int { unknown, watched, cancelled };
std::array<std::atomic<int>, kMostFds> states;

using Read = ssize_t (*)(int, void*, std::size_t);

ssize_t really_read(int fd, void* bytes, std::size_t size) {
  static const auto next = reinterpret_cast<Read>(::dlsym(RTLD_NEXT, "read"));
  return next(fd, bytes, size);
}

long really_set(int fd, int flags, const itimerspec& at, itimerspec* before) {
  return ::syscall(SYS_timerfd_settime, fd, flags, &at, before);
}

void cancel_timers() {
  const itimerspec at_once{{0, 0}, {0, 1}};
  for (int fd = 0; fd < kMostFds; ++fd) {
    int state = watched;
    if (states[static_cast<std::size_t>(fd)].compare_exchange_strong(state, cancelled)) {
      really_set(fd, 0, at_once, nullptr);
    }
  }
}

// The file is renamed into place: that is the moment.
void watch(const std::string& file) {
  const int fd = ::inotify_init1(IN_CLOEXEC);
  if (fd < 0 || ::inotify_add_watch(fd, file.substr(0, file.rfind('/')).c_str(), IN_MOVED_TO) < 0) std::abort();
  std::thread([fd] {
    alignas(inotify_event) char bytes[sizeof(inotify_event) + NAME_MAX + 1];
    while (really_read(fd, bytes, sizeof bytes) > 0) {
      if (std::getenv("TQ_TEST_DEAF") == nullptr) cancel_timers();
    }
  }).detach();
}

// How far the faked clock is from the kernel's, in nanoseconds.
std::int64_t offset() {
  timespec faked{};
  timespec real{};
  ::clock_gettime(CLOCK_REALTIME, &faked);
  ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
  return std::int64_t{faked.tv_sec - real.tv_sec} * kNanoseconds + (faked.tv_nsec - real.tv_nsec);
}

itimerspec as_kernel_sees_it(const itimerspec& faked) {
  std::int64_t at = std::int64_t{faked.it_value.tv_sec} * kNanoseconds + faked.it_value.tv_nsec - offset();
  if (at < 1) at = 1;  // it has passed
  itimerspec real = faked;
  real.it_value.tv_sec = static_cast<time_t>(at / kNanoseconds);
  real.it_value.tv_nsec = static_cast<long>(at % kNanoseconds);
  return real;
}

}  // namespace

extern "C" int timerfd_settime(int fd, int flags, const itimerspec* at, itimerspec* before) noexcept {
  if ((flags & TFD_TIMER_CANCEL_ON_SET) == 0 || fd >= kMostFds) {
    return static_cast<int>(really_set(fd, flags, *at, before));
  }
  static std::once_flag once;
  std::call_once(once, [] { watch(std::getenv("FAKETIME_TIMESTAMP_FILE")); });
  const itimerspec real = as_kernel_sees_it(*at);
  // One that has been cancelled and not been read stays readable.
  int state = unknown;
  states[static_cast<std::size_t>(fd)].compare_exchange_strong(state, watched);
  if (states[static_cast<std::size_t>(fd)] == cancelled) return 0;
  return static_cast<int>(really_set(fd, flags, real, before));
}

extern "C" ssize_t read(int fd, void* bytes, std::size_t size) {
  const ssize_t got = really_read(fd, bytes, size);
  if (fd < 0 || fd >= kMostFds) return got;
  int state = cancelled;
  if (!states[static_cast<std::size_t>(fd)].compare_exchange_strong(state, watched)) return got;
  errno = ECANCELED;
  return -1;
}

extern "C" int close(int fd) {
  if (fd >= 0 && fd < kMostFds) states[static_cast<std::size_t>(fd)] = unknown;
  return static_cast<int>(::syscall(SYS_close, fd));
}
