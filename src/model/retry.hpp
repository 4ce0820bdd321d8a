// When the next attempt starts.
#pragma once

#include <tq/types.hpp>

namespace tq::model {

// The wait before retry number `retry` (1 for the first), by the policy, varied by its jitter (to a thousandth). `seed`
// decides the variation: the same seed gives the same wait. Never negative, never beyond cap * (1 + jitter), or base *
// (1 + jitter) if constant. For any policy, also one that no draft() has checked: durations count up to kMaxDuration.
Duration retry_delay(const Backoff& backoff, std::uint32_t retry, std::uint64_t seed);

// A seed that differs between jobs and attempts and is the same each time it is asked for (splitmix64 of both).
std::uint64_t retry_seed(JobId job, std::uint32_t attempt);

}  // namespace tq::model
