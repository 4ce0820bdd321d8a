// What a preloaded shim.cc offers to the program that it is preloaded into; looked up by name, since it may not be there.
//
// TQ_FAIL_DIRECTORY    only calls on files in here count; of memory, all do
// TQ_FAIL              CLASS:N:ERRNO:MODE  the N-th call of the class fails (0: none). MODE: once, sticky (all from the N-th
//                      on), half (writes half of it and says so)
//
// A call that is made to fail is told on standard output: "fired CALL PATH".
#pragma once

#include <array>

namespace tq::test {

// The order of what shim_count() takes.
inline constexpr std::array kCallClasses = {"write", "sync", "open", "read",  "space",
                                            "name",  "lock", "mmap", "start", "alloc"};

using ShimBegin = void (*)();     // "tq_shim_begin": from here on calls count
using ShimHush = void (*)(int);   // "tq_shim_hush": 1: calls of this thread do not count, until 0
using ShimCount = long (*)(int);  // "tq_shim_count": calls of a class so far

}  // namespace tq::test
