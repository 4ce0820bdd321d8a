// Named places where a test can make a process die or a call fail: crash paths are paths.
//
// TQ_FAILPOINT="store.commit.before=exit", or "...=exit@3" for the third time the place is reached. `exit` ends the process
// at once (as kill -9 would: no destructor, no flush), `error` makes the call fail with EIO, `full` with ENOSPC, `wait` keeps
// the thread there until the place is disarmed. Without the variable a place costs one load.
#pragma once

#include <atomic>
#include <string_view>

namespace tq::base {

namespace failpoint {
extern std::atomic<bool> armed;
int reached(const char* name);
// Arms `spec` as the variable would; empty disarms. For tests within one process.
void arm(std::string_view spec);
}  // namespace failpoint

// 0, or the errno with which the call that follows is to fail. Does not return for `exit`.
inline int failpoint_errno(const char* name) {
  return failpoint::armed.load(std::memory_order_relaxed) ? failpoint::reached(name) : 0;
}

}  // namespace tq::base

// A place where only dying makes sense.
#define TQ_FAILPOINT(name) static_cast<void>(::tq::base::failpoint_errno(name))
