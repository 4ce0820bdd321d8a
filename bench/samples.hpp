// What a benchmark measured, as one line of JSON for bench/run.
#pragma once

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

namespace bench {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::duration<double, std::micro>;

// How long `work` took, in microseconds.
template <class Work>
double time_us(Work&& work) {
  const auto start = Clock::now();
  work();
  return Microseconds(Clock::now() - start).count();
}

inline void print(const std::string& name, const std::vector<double>& samples) {
  std::printf(R"({"name": "%s", "samples": [)", name.c_str());
  for (std::size_t i = 0; i < samples.size(); ++i) std::printf("%s%.3f", i == 0 ? "" : ", ", samples[i]);
  std::printf("]}\n");
}

}  // namespace bench
