// Judges damaged stores, each in a process that may be killed by them.
#pragma once

#include "rot/damage.hpp"
#include "rot/store.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace tq::test {

// What became of one damage. The last three must not be.
enum class Verdict : std::uint8_t { reported, harmless, wrong, crashed, hung };
inline constexpr std::size_t kVerdicts = 5;
const char* to_string(Verdict verdict);

enum class Way : std::uint8_t {
  checked,  // check() first; what it finds nothing in is then read
  plain,    // read at once, as most commands do
};

struct Verdicts {
  std::array<std::uint64_t, kVerdicts> count{};
  std::vector<std::string> bad;  // some of the last three, in words
  std::uint64_t operator[](Verdict verdict) const { return count[static_cast<std::size_t>(verdict)]; }
  std::uint64_t all() const;
};

struct Case {
  Image image;
  std::vector<Image> before;
  JobId first_job = 0;
  JobId last_job = 0;
  WorkerId worker = 0;
};

// A new one, whose files were in `directory`.
Case make_case(const std::string& directory);

// `count` damages from number `first` on, in two processes at a time, in `directory`. `alive`: the worker of the running jobs lives;
// else whoever opens the store has to rescue them.
Verdicts judge(const Case& subject, const std::string& directory, std::uint64_t seed, std::uint64_t first,
               std::uint64_t count, Way way, bool alive);

}  // namespace tq::test
