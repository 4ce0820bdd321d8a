#include "cli/job_text.hpp"

#include "base/time_text.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/core.h>

namespace tq::cli {
namespace {

using namespace std::chrono_literals;

// In single quotes if a shell would make anything else of it.
std::string in_shell_quotes(std::string_view word) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
  const auto is_plain = [&](char c) { return kPlain.find(c) != kPlain.npos || static_cast<unsigned char>(c) >= 0x80; };
  bool needs_quotes = word.empty();
  std::string text = "'";
  for (const char c : word) {
    needs_quotes |= !is_plain(c);
    c == '\'' ? text.append("'\\''") : text.append(1, c);
  }
  return needs_quotes ? text + '\'' : std::string(word);
}

}  // namespace

std::string command_line(const std::vector<std::string>& argv) {
  std::string line;
  for (const std::string& word : argv) line.append(line.empty() ? "" : " ").append(in_shell_quotes(word));
  return line;
}

std::optional<Command> command_of(const TaskQueue& store, const JobInfo& job) {
  if (job.task != kExecTask) return std::nullopt;
  return store.command(job.id);
}

std::string describe(const TaskQueue& store, const JobInfo& job) {
  const auto command = command_of(store, job);
  return command ? command_line(command->argv) : job.task;
}

std::string short_duration(Duration duration) {
  if (duration < Duration::zero()) return "-" + short_duration(-duration);
  if (duration < 1min) return fmt::format("{}s", duration / 1s);
  if (duration < 1h) return fmt::format("{}m", duration / 1min);
  if (duration < 48h) return fmt::format("{}h", duration / 1h);
  return fmt::format("{}d", duration / 24h);
}

std::string took(Duration duration) {
  if (duration < 1s) return fmt::format("{}ms", std::max(duration, 0ms).count());
  if (duration < 1min) return fmt::format("{:.1f}s", static_cast<double>(duration.count()) / 1000);
  return base::format_duration(std::chrono::floor<std::chrono::seconds>(duration));
}

std::string local_time(Time time) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  std::array<char, 64> text{};
  if (::localtime_r(&seconds, &parts) == nullptr) return base::format_time(time);
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &parts);
  return {text.data(), size};
}

std::string byte_count(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"bytes", "KB", "MB", "GB", "TB"};
  auto shown = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; shown >= 1000 && unit + 1 < kUnits.size(); ++unit) shown /= 1000;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", shown, kUnits[unit]);
}

std::string count_of(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

Colour colour_of(State state) {
  switch (state) {
    case State::running:
      return Colour::cyan;
    case State::succeeded:
      return Colour::green;
    case State::failed:
      return Colour::red;
    case State::retrying:
    case State::expired:
      return Colour::yellow;
    case State::cancelled:
      return Colour::dim;
    default:
      return Colour::none;
  }
}

std::string ending(const Result& result) {
  const std::string_view state = to_string(result.state);
  return result.error.empty() ? std::string(state) : fmt::format("{}: {}", state, result.error);
}

}  // namespace tq::cli
