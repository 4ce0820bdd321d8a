// The guard as a process: started from the copy of its program in this library.
#pragma once

#include "base/fd.hpp"
#include "loop/guard.hpp"

#include <cstdint>

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
  // Kills the children of this process but for the guard: what it adopted when the guard was killed.
  void kill_adopted() const;

 private:
  base::Fd socket_;
  base::Fd handle_;  // pidfd
  pid_t pid_ = -1;
};

}  // namespace tq::loop
