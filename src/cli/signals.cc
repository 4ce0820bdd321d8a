#include "cli/signals.hpp"

#include <csignal>
#include <pthread.h>

namespace tq::cli {
namespace {

sigset_t held() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void hold_signals() {
  const sigset_t set = held();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalWatch::SignalWatch(std::function<void(int signal, int count)> act)
    : act_(std::move(act)), thread_([this] { watch(); }) {}

SignalWatch::~SignalWatch() {
  ends_ = true;
  // The thread sleeps until a signal comes: this one is for it alone.
  ::pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void SignalWatch::watch() {
  const sigset_t set = held();
  for (int count = 1;; ++count) {
    int signal = 0;
    if (::sigwait(&set, &signal) != 0 || ends_) return;
    last_ = signal;
    act_(signal, count);
  }
}

}  // namespace tq::cli
