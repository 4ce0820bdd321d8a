// Signals, taken by a thread instead of a handler: what answers them may lock, write and call anything.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace tq::cli {

// From now on SIGINT, SIGTERM and SIGHUP wait for a SignalWatch, to the end of the process: one that comes when the watch
// is gone, on the heels of another, must not make a failure of an orderly end. To be called before any other thread is made,
// because threads inherit who may receive a signal.
void hold_signals();

// While it lives, those signals are handed to `act`, on a thread of its own, with how many of them there have been (1 for the
// first). After hold_signals().
class SignalWatch {
 public:
  explicit SignalWatch(std::function<void(int signal, int count)> act);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

  // The last signal that came, or 0. Any thread.
  int last() const { return last_; }

 private:
  void watch();

  std::function<void(int, int)> act_;
  std::atomic<int> last_ = 0;
  std::atomic<bool> ends_ = false;
  std::thread thread_;
};

}  // namespace tq::cli
