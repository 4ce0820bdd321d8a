// The guard as a process: started from the copy of its program in this library.
#pragma once

#include "base/fd.hpp"
#include "loop/guard.hpp"

#include <cstdint>
#include <set>
#include <sys/types.h>

namespace tq::loop {

// One thread at a time.
class GuardProcess {
 public:
  // Throws IoError.
  explicit GuardProcess(const Guard::Options& options);
  // Closes the socket, upon which the guard kills everything and ends, and waits for that.
  ~GuardProcess();
  GuardProcess(const GuardProcess&) = delete;
  GuardProcess& operator=(const GuardProcess&) = delete;

  int socket() const { return socket_.get(); }
  std::int64_t pid() const { return pid_; }
  // Waits until the process has ended, for whatever reason; it will, once the socket has.
  void wait() const;
  // Kills the children of this process that it did not have when the guard was started: what it adopted when the guard was
  // killed.
  void kill_adopted() const;

 private:
  base::Fd socket_;
  base::Fd handle_;  // pidfd: the number alone would be another process's, if the host has reaped the guard
  pid_t pid_ = -1;
  std::set<pid_t> earlier_children_;
};

}  // namespace tq::loop
