#include "cli/values.hpp"

#include "base/clock.hpp"
#include "base/fail.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"

#include <charconv>
#include <csignal>
#include <cstring>
#include <limits>
#include <strings.h>

namespace tq::cli {
namespace {

using base::fail;

constexpr std::string_view kBackoffs = "write const:5s (always the same) or exp:1s..1h (doubled up to the second)";

bool is_digits(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == text.npos; }

// std::from_chars, with words for what goes wrong. A minus is only refused where there is nothing below zero.
template <class Number>
Number whole_number(std::string_view text, Number least, Number most) {
  const bool is_number = is_digits(text.starts_with('-') ? text.substr(1) : text);
  if (!is_number) fail<InvalidArgument>("'{}' is no whole number: write one from {} to {}", text, least, most);
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool fits = error == std::errc() && end == text.data() + text.size() && number >= least && number <= most;
  if (!fits) fail<InvalidArgument>("'{}' is out of bounds: write a number from {} to {}", text, least, most);
  return number;
}

template <class Number>
void read_whole(const std::string& text, Number& value) {
  value = whole_number(text, std::numeric_limits<Number>::min(), std::numeric_limits<Number>::max());
}

std::vector<std::string_view> state_names() {
  std::vector<std::string_view> names;
  for (std::size_t i = 1; i < kStateCount; ++i) names.push_back(to_string(static_cast<State>(i)));
  return names;
}

std::vector<std::string_view> event_names() {
  std::vector<std::string_view> names;
  const auto last = static_cast<std::uint8_t>(EventType::worker_died);
  for (std::uint8_t i = 1; i <= last; ++i) names.push_back(to_string(static_cast<EventType>(i)));
  return names;
}

std::string list_of(const std::vector<std::string_view>& names) {
  std::string list;
  for (const std::string_view name : names) list.append(list.empty() ? "" : ", ").append(name);
  return list;
}

[[noreturn]] void unknown_name(std::string_view what, std::string_view text,
                               const std::vector<std::string_view>& known) {
  const std::string meant = suggestion(text, known);
  if (!meant.empty()) fail<InvalidArgument>("'{}' is no {}: {}", text, what, meant);
  fail<InvalidArgument>("'{}' is no {}: there are {}", text, what, list_of(known));
}

std::optional<Duration> as_duration(std::string_view text) {
  try {
    return base::parse_duration(text);
  } catch (const InvalidArgument&) {
    return std::nullopt;
  }
}

std::optional<Time> as_time(std::string_view text) {
  try {
    return base::parse_time(text, base::system_clock().now());
  } catch (const InvalidArgument&) {
    return std::nullopt;
  }
}

}  // namespace

void read(const std::string& text, std::string& value) { value = text; }
void read(const std::string& text, std::int32_t& value) { read_whole(text, value); }
void read(const std::string& text, std::uint32_t& value) { read_whole(text, value); }
void read(const std::string& text, std::uint64_t& value) { read_whole(text, value); }
void read(const std::string& text, Duration& value) { value = base::parse_duration(text); }
void read(const std::string& text, Time& value) { value = base::parse_time(text, base::system_clock().now()); }

void read(const std::string& text, State& value) {
  const auto state = parse_state(text);
  if (!state) unknown_name("state", text, state_names());
  value = *state;
}

void read(const std::string& text, EventType& value) {
  const auto type = parse_event_type(text);
  if (!type) unknown_name("type of event", text, event_names());
  value = *type;
}

void read(const std::string& text, Backoff& value) {
  const std::size_t colon = text.find(':');
  const std::string_view kind = std::string_view(text).substr(0, colon);
  const bool is_constant = kind == "const";
  if (colon == text.npos || (!is_constant && kind != "exp"))
    fail<InvalidArgument>("'{}' is no backoff: {}", text, kBackoffs);
  const std::string_view rest = std::string_view(text).substr(colon + 1);
  const std::size_t dots = is_constant ? rest.npos : rest.find("..");
  value.kind = is_constant ? Backoff::Kind::constant : Backoff::Kind::exponential;
  value.base = base::parse_duration(rest.substr(0, dots));
  if (dots != rest.npos) {
    value.cap = base::parse_duration(rest.substr(dots + 2));
  } else {
    value.cap = is_constant ? value.base : std::max(value.base, Backoff{}.cap);
  }
  if (value.cap < value.base) fail<InvalidArgument>("'{}' ends below where it begins: {}", text, kBackoffs);
}

std::int64_t read_number(std::string_view text, std::int64_t least, std::int64_t most) {
  return whole_number(text, least, most);
}

int read_signal(std::string_view text) {
  if (is_digits(text)) return static_cast<int>(read_number(text, 1, SIGRTMAX));
  const bool has_prefix = text.size() > 3 && ::strncasecmp(text.data(), "SIG", 3) == 0;
  const std::string name(has_prefix ? text.substr(3) : text);
  for (int signal = 1; signal < NSIG; ++signal) {
    const char* const known = ::sigabbrev_np(signal);
    if (known != nullptr && ::strcasecmp(known, name.c_str()) == 0) return signal;
  }
  fail<InvalidArgument>("'{}' is no signal: write a name (TERM, INT, KILL, USR1) or a number from 1 to {}", text,
                        SIGRTMAX);
}

void read_expiry(const std::string& text, EnqueueOptions& options) {
  options.expires_in = as_duration(text);
  options.expires_at = options.expires_in ? std::nullopt : as_time(text);
  if (options.expires_in || options.expires_at) return;
  fail<InvalidArgument>("'{}' is neither a duration (10s, 5m, 2h) nor a time (2026-01-31T12:00:00Z, 18:30, +10m)",
                        text);
}

Time read_past(const std::string& text) {
  const Time now = base::system_clock().now();
  if (const auto ago = as_duration(text)) return now - *ago;
  const auto time = as_time(text);
  if (!time) {
    fail<InvalidArgument>("'{}' is neither a duration (10m: that long ago) nor a time (2026-01-31T12:00:00Z, 18:30)",
                          text);
  }
  const bool is_time_of_day = text.size() == 5;
  return is_time_of_day && *time > now ? *time - std::chrono::hours{24} : *time;
}

std::string suggestion(std::string_view typed, const std::vector<std::string_view>& known) {
  const std::string_view nearest = base::nearest(typed, known);
  return nearest.empty() ? "" : fmt::format("did you mean '{}'?", nearest);
}

}  // namespace tq::cli
