#include "loop/watch.hpp"

#include "base/fail.hpp"
#include "loop/uv_loop.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/syscall.h>
#include <unistd.h>

namespace tq::loop {

struct Watch::Impl {
  EventLoop::Impl& loop;
  std::function<void()> readable;
  uv_poll_t* poll;
};

Watch::Watch(EventLoop& loop, int fd, std::function<void()> readable)
    : impl_(std::make_unique<Impl>(loop.impl(), std::move(readable), new uv_poll_t)) {
  const int made = uv_poll_init(&impl_->loop.uv, impl_->poll, fd);
  if (made != 0) {
    delete impl_->poll;
    check_uv("watch a descriptor", made);
  }
  impl_->poll->data = impl_.get();
  const auto called = [](uv_poll_t* poll, int, int) {
    auto* impl = static_cast<Impl*>(poll->data);
    const std::function<void()> callback = impl->readable;  // a copy, since it may destroy its watch
    impl->loop.guarded(callback);
  };
  const int started = uv_poll_start(impl_->poll, UV_READABLE | UV_DISCONNECT, called);
  if (started != 0) {
    close_and_delete(impl_->poll);
    check_uv("watch a descriptor", started);
  }
}

Watch::~Watch() {
  uv_poll_stop(impl_->poll);
  close_and_delete(impl_->poll);
}

std::uint64_t process_started(std::int64_t pid) {
  const int raw = ::open(("/proc/" + std::to_string(pid) + "/stat").c_str(), O_RDONLY | O_CLOEXEC);
  const base::Fd file(raw);
  char text[1024];
  const ssize_t size = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (size <= 0) return 0;
  text[size] = 0;
  // The name, field 2, is in brackets and may hold anything: count from the last one on.
  const char* at = std::strrchr(text, ')');
  for (int field = 2; at != nullptr && field < 22; ++field) at = std::strchr(at + 1, ' ');
  return at == nullptr ? 0 : std::strtoull(at + 1, nullptr, 10);
}

struct DeathWatch::Impl {
  base::Fd process;
  std::function<void()> died;
  std::unique_ptr<Watch> watch;
};

DeathWatch::DeathWatch(EventLoop& loop, std::int64_t pid, std::uint64_t started, std::function<void()> died)
    : impl_(std::make_unique<Impl>()) {
  impl_->died = std::move(died);
  impl_->process = base::Fd(static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0)));
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
    impl->watch.reset();  // once
    const std::function<void()> callback = std::move(impl->died);
    callback();
  });
}

DeathWatch::~DeathWatch() = default;

}  // namespace tq::loop
