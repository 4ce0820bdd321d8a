// What a job of the recorded workload is: all of it follows from its token, which is its label and the beginning of its payload.
// So whoever looks at a store knows what each job has to be.
#pragma once

#include <tq/types.hpp>

#include <functional>
#include <random>
#include <string>

namespace tq::test::power_cut {

inline constexpr const char* kWork = "work";      // served by the workers
inline constexpr const char* kParked = "parked";  // far in the future: nobody runs them
inline constexpr Time kFarAway{std::chrono::hours{24 * 365 * 100}};

// A token is a kind, the name of who adds it, and a number: "echo a 17". A follow-up has its parent's and "+": "spawn a 3+".
//   echo    returns a result of the payload's size
//   save    saves a state first
//   spawn   adds a follow-up
//   fail    fails for good
//   park    waits far in the future
//   big     echo with a payload that is a side file
inline std::string kind_of(const std::string& token) {
  return token.ends_with('+') ? "echo" : token.substr(0, token.find(' '));
}

// FNV-1a: the same everywhere.
inline std::uint64_t hash_of(const std::string& token) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : token) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

inline std::string bytes_of(const std::string& token, std::size_t size) {
  std::mt19937_64 random(hash_of(token));
  std::string bytes = token + '\n';
  while (bytes.size() < size) bytes += static_cast<char>(random());
  return bytes;
}

inline std::string payload_of(const std::string& token) {
  const std::uint64_t hash = hash_of(token) >> 20;
  if (kind_of(token) == "big") return bytes_of(token, 66'000 + hash % 5'000);
  const std::size_t sizes[] = {40, 60, 80, 100, 300, 900, 1'500, 3'000, 9'000};
  return bytes_of(token, sizes[hash % 9]);
}

inline std::string token_in(const std::string& payload) { return payload.substr(0, payload.find('\n')); }

inline std::string result_of(const std::string& token) {
  return bytes_of("result of " + token, payload_of(token).size());
}
inline std::string saved_of(const std::string& token) {
  return bytes_of("state of " + token, 200 + hash_of(token) % 4'000);
}

inline JobSpec job_of(const std::string& token) {
  JobSpec job{kind_of(token), {"raw", payload_of(token)}, {.queue = kWork, .max_retries = 0, .labels = {token}}};
  if (kind_of(token) == "park") {
    job.options.queue = kParked;
    job.options.at = kFarAway;
  } else {
    job.options.priority = static_cast<int>(hash_of(token) % 3);
  }
  return job;
}

}  // namespace tq::test::power_cut
