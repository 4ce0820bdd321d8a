#include "cli/progress.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <unistd.h>

namespace tq::cli {
namespace {

using Steady = std::chrono::steady_clock;

constexpr auto kInterval = std::chrono::milliseconds{100};

void write(const std::string& text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string bar(double fraction) {
  constexpr std::size_t kWidth = 24;
  const auto full = static_cast<std::size_t>(std::lround(std::clamp(fraction, 0.0, 1.0) * kWidth));
  return '[' + std::string(full, '#') + std::string(kWidth - full, '.') + ']';
}

bool Progress::is_due() const { return is_wanted_ && Steady::now() - last_ >= kInterval; }

void Progress::show(std::string_view text) {
  if (!is_due()) return;
  last_ = Steady::now();
  is_shown_ = true;
  if (terminal_.is_terminal) {
    // One column less than there are: a line that is full makes some terminals begin the next.
    write(fmt::format("\r{}\x1b[K", cut_to_width(text, std::max<std::size_t>(terminal_.width, 2) - 1)));
  } else {
    write(fmt::format("{}\n", text));
  }
}

void Progress::clear() {
  if (is_shown_ && terminal_.is_terminal) write("\r\x1b[K");
  is_shown_ = false;
}

}  // namespace tq::cli
