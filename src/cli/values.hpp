// What people write on a command line, read into the types of the contract. Each `read` throws InvalidArgument with what is
// wrong and what would be right; whoever calls puts the option's name before it.
#pragma once

#include <tq/types.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tq::cli {

void read(const std::string& text, std::string& value);
void read(const std::string& text, std::int32_t& value);
void read(const std::string& text, std::uint32_t& value);
void read(const std::string& text, std::uint64_t& value);
void read(const std::string& text, Duration& value);
void read(const std::string& text, Time& value);
void read(const std::string& text, State& value);
void read(const std::string& text, EventType& value);
// "const:5s" or "exp:1s..1h".
void read(const std::string& text, Backoff& value);

template <class T>
void read(const std::string& text, std::optional<T>& value) {
  read(text, value.emplace());
}

// "a,b": adds each.
template <class T>
void read(const std::string& text, std::vector<T>& values) {
  for (std::size_t begin = 0, end = 0; end != text.npos; begin = end + 1) {
    end = text.find(',', begin);
    read(text.substr(begin, end - begin), values.emplace_back());
  }
}

// A whole number of these bounds, both included.
std::int64_t read_number(std::string_view text, std::int64_t least, std::int64_t most);
// The number of a signal: "TERM", "SIGTERM" or "15".
int read_signal(std::string_view text);
// When a job must have started: sets expires_in or expires_at.
void read_expiry(const std::string& text, EnqueueOptions& options);
// A time that is past: RFC 3339, "10m" (that long ago), or "HH:MM" (the last one).
Time read_past(const std::string& text);

// "did you mean 'x'?" with what goes before it, or "" if nothing is near.
std::string suggestion(std::string_view typed, const std::vector<std::string_view>& known);

}  // namespace tq::cli
