// Sleeping on a word of memory that processes share.
#pragma once

#include <tq/types.hpp>

#include <atomic>
#include <cstdint>

namespace tq::base {

static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(std::atomic<std::uint32_t>) == 4);

// Sleeps until somebody wakes one of `bits`, unless the word is not `value` any more; false after `timeout` (monotonic;
// beyond kMaxDuration: never). Signals do not end it; it may return for no reason.
bool futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t value, std::uint32_t bits, Duration timeout);
// Wakes all who wait for one of `bits`.
void futex_wake(std::atomic<std::uint32_t>& word, std::uint32_t bits);

inline constexpr std::uint32_t kFutexAll = ~0u;

}  // namespace tq::base
