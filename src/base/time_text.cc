#include "base/time_text.hpp"

#include "base/fail.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>
#include <optional>
#include <utility>

namespace tq::base {
namespace {

using namespace std::chrono_literals;

struct Unit {
  std::string_view name;
  Duration size;
};
constexpr std::array<Unit, 5> kUnits{{{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}}};
constexpr std::string_view kRight = "write 500ms, 10s, 5m, 2h, 3d or several in a row (1h30m)";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes the characters at the start of `text` that fit.
template <class Fits>
std::string_view take_while(std::string_view& text, Fits fits) {
  std::size_t size = 0;
  while (size < text.size() && fits(text[size])) ++size;
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

// --- durations ---

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

[[noreturn]] void bad_duration(std::string_view text, std::string_view why) {
  fail<InvalidArgument>("'{}' is no duration: {}", text, why);
}

[[noreturn]] void too_long(std::string_view text) {
  bad_duration(text, fmt::format("at most {} are allowed", format_duration(kMaxDuration)));
}

// "1.5h": says how it is spelled in whole numbers, if it can be.
[[noreturn]] void bad_fraction(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const Unit* unit = find_unit(text.substr(static_cast<std::size_t>(end - text.data())));
  if (error == std::errc() && unit != nullptr) {
    const double ms = std::round(number * static_cast<double>(unit->size.count()));
    if (ms < static_cast<double>(kMaxDuration.count())) {
      const Duration whole{static_cast<Duration::rep>(ms)};
      bad_duration(text, fmt::format("only whole numbers are allowed: write {}", format_duration(whole)));
    }
  }
  bad_duration(text, fmt::format("only whole numbers are allowed: {}", kRight));
}

// --- times ---

[[noreturn]] void bad_time(std::string_view text, std::string_view why) {
  fail<InvalidArgument>("'{}' is no time: {}", text, why);
}

[[noreturn]] void bad_time(std::string_view text) {
  bad_time(text, "write 2026-01-31T12:00:00Z, 18:30, +10m, today 18:30 or tomorrow 09:00");
}

// Exactly `digits` of them.
std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int number = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    number = number * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return number;
}

struct HourMinute {
  int hour = 0;
  int minute = 0;
};

std::optional<HourMinute> take_hour_minute(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return HourMinute{*hour, *minute};
}

std::optional<HourMinute> parse_hour_minute(std::string_view text) {
  const auto time = take_hour_minute(text);
  return text.empty() ? time : std::nullopt;
}

// "Z" or "+02:00", the whole of `text`.
std::optional<std::chrono::minutes> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0min;
  if (text.empty() || (text.front() != '+' && text.front() != '-')) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  const auto offset = parse_hour_minute(text.substr(1));
  if (!offset) return std::nullopt;
  return std::chrono::minutes(sign * (offset->hour * 60 + offset->minute));
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// ".5", ".123456": what is below a millisecond is dropped.
std::optional<Duration> take_fraction(std::string_view& text) {
  if (!take(text, '.')) return 0ms;
  const std::string_view digits = take_while(text, is_digit);
  if (digits.empty()) return std::nullopt;
  int ms = 0;
  for (std::size_t i = 0; i < 3; ++i) ms = ms * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return Duration(ms);
}

Time parse_rfc3339(std::string_view text) {
  std::string_view rest = text;
  const auto date = take_date(rest);
  if (!date) bad_time(text, "there is no such day");
  if (!take(rest, 'T') && !take(rest, 't') && !take(rest, ' ')) bad_time(text);
  const auto time = take_hour_minute(rest);
  if (!time || !take(rest, ':')) bad_time(text);
  const auto second = take_number(rest, 2);
  if (!second || *second > 59) bad_time(text);
  const auto fraction = take_fraction(rest);
  if (!fraction) bad_time(text);
  if (rest.empty()) bad_time(text, "the zone is missing: add Z for UTC, or an offset like +02:00");
  const auto offset = parse_offset(rest);
  if (!offset) bad_time(text);
  const auto since_midnight = std::chrono::minutes(time->hour * 60 + time->minute) + std::chrono::seconds(*second);
  return Time(*date) + since_midnight + *fraction - *offset;
}

// That time of the local day `days` after the one of `now`; a time that the clock leaves out that day: the first after it.
Time local_time(Time now, int days, HourMinute wanted) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  std::tm today{};
  if (::localtime_r(&seconds, &today) == nullptr) fail<InvalidArgument>("the local time is not known");
  const int first = wanted.hour * 60 + wanted.minute;
  for (int minute = first; minute < first + 24 * 60; ++minute) {
    std::tm day = today;
    day.tm_mday += days;
    day.tm_hour = minute / 60;
    day.tm_min = minute % 60;
    day.tm_sec = 0;
    day.tm_isdst = -1;
    const std::time_t found = std::mktime(&day);
    const bool exists = day.tm_hour == minute / 60 % 24 && day.tm_min == minute % 60;
    if (exists) return Time(std::chrono::seconds(found));
  }
  fail<InvalidArgument>("the local time is not known");
}

}  // namespace

Duration parse_duration(std::string_view text) {
  if (text.empty()) fail<InvalidArgument>("the duration is empty: {}", kRight);
  if (text.front() == '-') bad_duration(text, "it must not be negative");
  Duration total{0};
  const Unit* last = nullptr;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view digits = take_while(rest, is_digit);
    if (digits.empty()) bad_duration(text, kRight);
    if (rest.starts_with('.')) bad_fraction(text);
    const std::string_view name = take_while(rest, [](char c) { return !is_digit(c); });
    if (name.empty()) bad_duration(text, fmt::format("the unit is missing: write {0}s or {0}m", text));
    const Unit* unit = find_unit(name);
    if (unit == nullptr) bad_duration(text, fmt::format("'{}' is no unit: {}", name, kRight));
    const bool in_order = last == nullptr || unit->size < last->size;
    if (!in_order) bad_duration(text, fmt::format("the larger unit comes first: {}", kRight));
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error != std::errc() || number > kMaxDuration / unit->size) too_long(text);
    total += number * unit->size;
    last = unit;
  }
  if (total > kMaxDuration) too_long(text);
  return total;
}

std::string format_duration(Duration duration) {
  if (duration == 0ms) return "0s";
  // Without a sign, because the most negative number has no positive counterpart.
  const bool is_negative = duration < 0ms;
  std::uint64_t left = static_cast<std::uint64_t>(duration.count());
  if (is_negative) left = 0 - left;
  std::string text = is_negative ? "-" : "";
  for (const Unit& unit : kUnits) {
    const auto size = static_cast<std::uint64_t>(unit.size.count());
    if (left >= size) text += fmt::format("{}{}", left / size, unit.name);
    left %= size;
  }
  return text;
}

Time parse_time(std::string_view text, Time now) {
  if (text.starts_with('+')) return now + parse_duration(text.substr(1));
  for (const auto& [word, days] : {std::pair<std::string_view, int>{"today ", 0}, {"tomorrow ", 1}}) {
    if (!text.starts_with(word)) continue;
    const auto time = parse_hour_minute(text.substr(word.size()));
    if (!time) bad_time(text);
    return local_time(now, days, *time);
  }
  if (const auto time = parse_hour_minute(text)) {
    const Time today = local_time(now, 0, *time);
    return today > now ? today : local_time(now, 1, *time);
  }
  const bool has_date = text.size() >= 10 && text[4] == '-' && text[7] == '-';
  if (!has_date) bad_time(text);
  return parse_rfc3339(text);
}

std::string format_time(Time time) {
  using namespace std::chrono;
  constexpr Time kFirst = sys_days(year(0) / January / 1);
  constexpr Time kLast = sys_days(year(10000) / January / 1) - 1ms;
  const Time shown = std::clamp(time, kFirst, kLast);
  const sys_days day = floor<days>(shown);
  const year_month_day date(day);
  const hh_mm_ss clock(shown - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

}  // namespace tq::base
