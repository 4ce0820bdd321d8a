// Allocations that fail on request. Defines operator new: include it in one file of a program.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace tq::test {

inline constexpr std::size_t kAnyBytes = SIZE_MAX;
// The next allocation of exactly so many bytes, or of any number, fails, on whatever thread. 0: none.
inline std::atomic<std::size_t> failing_bytes = 0;

inline bool allocation_fails(std::size_t bytes) {
  for (std::size_t wanted : {bytes, kAnyBytes}) {
    if (failing_bytes.load() == wanted && failing_bytes.compare_exchange_strong(wanted, 0)) return true;
  }
  return false;
}

}  // namespace tq::test

void* operator new(std::size_t bytes) {
  void* const place = tq::test::allocation_fails(bytes) ? nullptr : std::malloc(bytes);
  if (place == nullptr) throw std::bad_alloc();
  return place;
}
void operator delete(void* place) noexcept { std::free(place); }
void operator delete(void* place, std::size_t) noexcept { std::free(place); }
