#include "cli/progress.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <unistd.h>

namespace tq::cli {
namespace {

using Steady = std::chrono::steady_clock;

constexpr Duration kOnTerminal{100};
constexpr Duration kElsewhere{1000};

void write(const std::string& text) {
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string bar(double fraction) {
  constexpr std::size_t kWidth = 24;
  const auto full = static_cast<std::size_t>(std::lround(std::clamp(fraction, 0.0, 1.0) * kWidth));
  return '[' + std::string(full, '#') + std::string(kWidth - full, '.') + ']';
}

std::string bar_of(std::uint64_t done, std::uint64_t all) {
  const double fraction = all == 0 ? 1 : std::min(1.0, static_cast<double>(done) / static_cast<double>(all));
  return fmt::format("{} {:.0f} % of {} records", bar(fraction), std::floor(fraction * 100), all);
}

void Progress::show(std::string text) {
  if (!is_wanted_) return;
  next_ = std::move(text);
  refresh();
}

Duration Progress::refresh() {
  if (next_.empty()) return Duration::max();
  const auto interval = terminal_.is_terminal ? kOnTerminal : kElsewhere;
  const auto passed = std::chrono::floor<Duration>(Steady::now() - last_);
  if (passed < interval) return interval - passed;
  draw();
  return Duration::max();
}

void Progress::draw() {
  last_ = Steady::now();
  is_shown_ = true;
  if (terminal_.is_terminal) {
    // One column less than there are: a line that is full makes some terminals begin the next.
    write(fmt::format("\r{}\x1b[K", cut_to_width(next_, std::max<std::size_t>(terminal_.width, 2) - 1)));
  } else {
    write(fmt::format("{}\n", next_));
  }
  next_.clear();
}

void Progress::clear() {
  next_.clear();
  if (!is_shown_ || !terminal_.is_terminal) return;
  write("\r\x1b[K");
  is_shown_ = false;
  last_ = {};
}

}  // namespace tq::cli
