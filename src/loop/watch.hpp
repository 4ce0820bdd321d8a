// Watching descriptors and processes.
#pragma once

#include "base/fd.hpp"
#include "loop/event_loop.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tq::loop {

// Calls `readable` whenever the descriptor can be read (or has ended). Does not own it. Loop thread only. May be destroyed
// in its own callback.
class Watch {
 public:
  Watch(EventLoop& loop, int fd, std::function<void()> readable);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

// Field 22 of /proc/PID/stat, by which a process is told from a later one of the same number; 0 if there is none.
std::uint64_t process_started(std::int64_t pid);

// Calls `died` once when the process ends, through a pidfd; soon, also if it has ended already or the number belongs to
// another process by now. Loop thread only.
class DeathWatch {
 public:
  DeathWatch(EventLoop& loop, std::int64_t pid, std::uint64_t started, std::function<void()> died);
  ~DeathWatch();
  DeathWatch(const DeathWatch&) = delete;
  DeathWatch& operator=(const DeathWatch&) = delete;

  // Also before `died` is called.
  bool has_ended() const;

  // Once it has ended, also before `died` is called: "was killed by SIGSEGV", "exited with status 1"; or "" if the kernel
  // does not tell strangers: it does of a zombie, and since Linux 6.15 of any process.
  std::string how() const;

  struct Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tq::loop
