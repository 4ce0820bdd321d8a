// The jobs of the script: what they carry is told by their name and size, so that whoever finds one knows whether it is whole.
#pragma once

#include <tq/worker.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace tq::test {

// The name, a blank, and bytes up to that size.
inline std::string bytes_of(const std::string& name, std::size_t size) {
  std::string bytes = name + ' ';
  std::uint32_t state = 2166136261u;
  for (const char c : name) state = (state ^ static_cast<unsigned char>(c)) * 16777619u;
  while (bytes.size() < size) {
    state = state * 1664525u + 1013904223u;
    bytes += static_cast<char>(state >> 24);
  }
  return bytes;
}

inline std::string name_in(const std::string& bytes) { return bytes.substr(0, bytes.find(' ')); }

// Runs at once what fails: a job of the script fails for good only if what was injected goes on.
inline EnqueueOptions at_once(std::uint32_t max_retries = 9) {
  return {.max_retries = max_retries, .backoff = {.kind = Backoff::Kind::constant, .base = Duration{0}, .jitter = 0}};
}

// "give" returns its payload, saves and logs on the way; "flaky" fails at first; "doomed" always.
inline void handle_all(Worker& worker) {
  worker.handle("give", [](const Payload& payload, Context& context) {
    context.log("given");
    if (payload.bytes.size() > 1000) context.save(payload.bytes);
    return payload;
  });
  worker.handle("flaky", [](const Payload& payload, Context& context) -> Payload {
    if (context.attempt() == 1) throw Verdict::retry("not yet", Duration{0});
    return payload;
  });
  worker.handle("doomed", [](const Payload&, Context&) -> Payload { throw Verdict::fail("doomed"); });
}

}  // namespace tq::test
