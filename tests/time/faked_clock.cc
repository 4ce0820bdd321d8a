#include "time/faked_clock.hpp"

#include "base/fail.hpp"
#include "support/children.hpp"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <poll.h>
#include <stdexcept>
#include <sys/stat.h>

namespace tq::test {
namespace {

constexpr Duration kPatience = std::chrono::minutes{1};

void signal_all(pid_t pid, int signal) {
  ::kill(pid, signal);
  for (const pid_t child : children_of(pid)) signal_all(child, signal);
}

}  // namespace

FakedClock::FakedClock(Sandbox& sandbox) : file_(sandbox.path("clock/now")) {
  std::filesystem::create_directory(sandbox.path("clock"));
  set(Duration{0});
  sandbox.env["LD_PRELOAD"] = std::string(TQ_TEST_SHIM) + ":" + TQ_TEST_FAKETIME;
  sandbox.env["FAKETIME_TIMESTAMP_FILE"] = file_;
  sandbox.env["FAKETIME_NO_CACHE"] = "1";
  sandbox.env["DONT_FAKE_MONOTONIC"] = "1";
  sandbox.env["NO_FAKE_STAT"] = "1";
}

void FakedClock::set(Duration ahead_of_the_machine) {
  offset_ = ahead_of_the_machine;
  const std::string draft = file_ + "-new";
  std::ofstream(draft) << fmt::format("{:+.3f}\n", static_cast<double>(offset_.count()) / 1000);
  std::filesystem::rename(draft, file_);
}

Reports::Reports(const Sandbox& sandbox) : path_(sandbox.path("reports")) {
  if (::mkfifo(path_.c_str(), 0600) != 0) base::throw_system("cannot make a pipe", errno);
  fifo_ = base::open_file(path_, O_RDWR);  // for writing, too: so that it has no end
}

std::optional<std::string> Reports::next_within(Duration time) {
  for (;;) {
    if (const auto end = read_.find('\n'); end != read_.npos) {
      std::string line = read_.substr(0, end);
      read_.erase(0, end + 1);
      return line;
    }
    pollfd entry{fifo_.get(), POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(time.count())) != 1) return std::nullopt;
    char bytes[4096];
    const ssize_t got = ::read(fifo_.get(), bytes, sizeof bytes);
    if (got > 0) read_.append(bytes, static_cast<std::size_t>(got));
  }
}

std::string Reports::next() {
  if (auto line = next_within(kPatience)) return std::move(*line);
  throw std::runtime_error("no job reports for a minute: one is stuck or lost");
}

void suspend(pid_t pid) { signal_all(pid, SIGSTOP); }
void resume(pid_t pid) { signal_all(pid, SIGCONT); }

}  // namespace tq::test
