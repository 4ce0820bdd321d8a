#include "loop/watch.hpp"

#include "base/fail.hpp"
#include "loop/uv_loop.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <optional>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tq::loop {

struct Watch::Impl {
  Handle<uv_poll_t>* handle;
};

Watch::Watch(EventLoop& loop, int fd, std::function<void()> readable) : impl_(std::make_unique<Impl>()) {
  auto handle = std::make_unique<Handle<uv_poll_t>>(loop, std::move(readable));
  check_uv("watch a descriptor", uv_poll_init(&loop.impl().uv, &handle->uv, fd));
  impl_->handle = handle.release();  // libuv holds it from here on
  const int code = uv_poll_start(&impl_->handle->uv, UV_READABLE | UV_DISCONNECT,
                                 [](uv_poll_t* poll, int, int) { Handle<uv_poll_t>::of(poll).call(); });
  if (code != 0) impl_->handle->close();
  check_uv("watch a descriptor", code);
}

Watch::~Watch() { impl_->handle->close(); }

namespace {

constexpr int kStartedField = 22;
constexpr int kStatusField = 52;

// Fields of /proc/PID/stat by number, from the third on, as far as they are numbers.
std::optional<std::uint64_t> stat_field(std::int64_t pid, int number, bool of_zombie) {
  const base::Fd file(::open(fmt::format("/proc/{}/stat", pid).c_str(), O_RDONLY | O_CLOEXEC));
  char text[1024];
  const ssize_t size = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (size <= 0) return std::nullopt;
  text[size] = 0;
  // The name, field 2, is in brackets and may hold anything: count from the last one on.
  const char* at = std::strrchr(text, ')');
  if (at == nullptr || (of_zombie && at[1] != 0 && at[2] != 'Z')) return std::nullopt;
  for (int field = 2; at != nullptr && field < number; ++field) at = std::strchr(at + 1, ' ');
  if (at == nullptr) return std::nullopt;
  return std::strtoull(at + 1, nullptr, 10);
}

// struct pidfd_info of Linux 6.15, which Debian 12's headers do not have yet.
struct PidfdInfo {
  std::uint64_t mask;
  std::uint64_t cgroup;
  std::uint32_t ids[11];
  std::int32_t exit_status;
  std::uint64_t more;
};
constexpr std::uint64_t kPidfdInfoExit = 1u << 3;
constexpr unsigned long kPidfdGetInfo = _IOWR(0xff, 11, PidfdInfo);

// The status of a process that has ended, as wait() has it; nothing if the kernel does not tell.
std::optional<int> wait_status(int process, std::int64_t pid, std::uint64_t started) {
  PidfdInfo info{};
  info.mask = kPidfdInfoExit;
  const bool told = ::ioctl(process, kPidfdGetInfo, &info) == 0 && (info.mask & kPidfdInfoExit) != 0;
  if (told) return info.exit_status;
  if (process_started(pid) != started) return std::nullopt;
  const auto status = stat_field(pid, kStatusField, true);
  if (!status) return std::nullopt;
  return static_cast<int>(*status);
}

std::string describe(std::optional<int> status) {
  if (!status) return {};
  if (!WIFSIGNALED(*status)) return fmt::format("exited with status {}", WEXITSTATUS(*status));
  const char* const name = ::sigabbrev_np(WTERMSIG(*status));
  return name != nullptr ? fmt::format("was killed by SIG{}", name)
                         : fmt::format("was killed by signal {}", WTERMSIG(*status));
}

}  // namespace

std::uint64_t process_started(std::int64_t pid) { return stat_field(pid, kStartedField, false).value_or(0); }

struct DeathWatch::Impl {
  base::Fd process;
  std::int64_t pid;
  std::uint64_t started;
  std::function<void()> died;
  std::unique_ptr<Watch> watch;
};

DeathWatch::DeathWatch(EventLoop& loop, std::int64_t pid, std::uint64_t started, std::function<void()> died)
    : impl_(std::make_unique<Impl>()) {
  impl_->pid = pid;
  impl_->started = started;
  impl_->died = std::move(died);
  impl_->process = base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
  if (!impl_->process && errno != ESRCH && errno != EINVAL) base::throw_system("cannot watch a process", errno);
  // Opened first, then looked at: from here on the number cannot pass to another process unnoticed.
  if (process_started(pid) != started) impl_->process.reset();
  if (!impl_->process) {
    // Gone already. Told soon, as it would be otherwise: through a descriptor that has ended.
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) base::throw_system("cannot make a pipe", errno);
    ::close(ends[1]);
    impl_->process = base::Fd(ends[0]);
  }
  impl_->watch = std::make_unique<Watch>(loop, impl_->process.get(), [impl = impl_.get()] {
    impl->watch.reset();                                           // once
    const std::function<void()> callback = std::move(impl->died);  // which may destroy its watch
    callback();
  });
}

DeathWatch::~DeathWatch() = default;

bool DeathWatch::has_ended() const {
  pollfd process{impl_->process.get(), POLLIN, 0};
  return ::poll(&process, 1, 0) == 1;
}

std::string DeathWatch::how() const { return describe(wait_status(impl_->process.get(), impl_->pid, impl_->started)); }

}  // namespace tq::loop
