#include "base/failpoint.hpp"

#include "base/fail.hpp"

#include <cerrno>
#include <charconv>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <unistd.h>

namespace tq::base::failpoint {
namespace {

struct Armed {
  std::mutex mutex;
  std::condition_variable changed;
  std::string name;
  std::string action;
  long countdown = 1;
};

Armed& state() {
  static Armed armed_state;
  return armed_state;
}

}  // namespace

std::atomic<bool> armed = [] {
  const char* spec = std::getenv("TQ_FAILPOINT");
  if (spec == nullptr || *spec == 0) return false;
  arm(spec);
  return true;
}();

void arm(std::string_view spec) {
  Armed& armed_state = state();
  const std::lock_guard lock(armed_state.mutex);
  if (spec.empty()) {
    armed_state.name.clear();
    armed.store(false);
    armed_state.changed.notify_all();
    return;
  }
  const auto equals = spec.find('=');
  std::string_view action = equals == spec.npos ? "exit" : spec.substr(equals + 1);
  long countdown = 1;
  if (const auto at = action.find('@'); at != action.npos) {
    const std::string_view count = action.substr(at + 1);
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), countdown);
    const bool is_count = error == std::errc() && end == count.data() + count.size() && countdown > 0;
    if (!is_count) fail<InvalidArgument>("TQ_FAILPOINT: '{}' is no count: use 1 for the first time", count);
    action = action.substr(0, at);
  }
  if (action != "exit" && action != "error" && action != "full" && action != "wait") {
    fail<InvalidArgument>("TQ_FAILPOINT: '{}' is no action: use exit, error, full or wait", action);
  }
  armed_state.name = spec.substr(0, equals);
  armed_state.action = action;
  armed_state.countdown = countdown;
  armed.store(true);
}

int reached(const char* name) {
  Armed& armed_state = state();
  std::unique_lock lock(armed_state.mutex);
  if (armed_state.name != name || --armed_state.countdown != 0) return 0;
  if (armed_state.action == "exit") ::_exit(137);
  if (armed_state.action == "wait") {
    armed_state.changed.wait(lock, [&] { return armed_state.name != name; });
    return 0;
  }
  return armed_state.action == "full" ? ENOSPC : EIO;
}

}  // namespace tq::base::failpoint
