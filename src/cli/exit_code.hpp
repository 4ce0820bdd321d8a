// What `tq` ends with. Scripts rely on these numbers: never renumber.
#pragma once

#include <tq/types.hpp>

#include <exception>

namespace tq::cli {

enum ExitCode : int {
  kDone = 0,
  kNotSucceeded = 1,  // one of several jobs that were waited for; or a job that failed without a code of its own
  kUsage = 2,
  kNotFound = 3,
  kConflict = 4,
  kFull = 5,
  kNothingToDo = 6,
  kStoreFailed = 7,
  kCancelled = 8,  // or expired
  kTimedOut = 124,
  kOwnFailure = 125,    // of tq itself, where every other code is the job's
  kOutputClosed = 141,  // as a program that SIGPIPE ends
};

// The code of a failure. Anything that is not of tq's own hierarchy counts as the store's.
int exit_code_of(const std::exception& error);
// The code of a job that is final, as `run`, `log -f` and `wait` of one job end: the command's own, or 128 + its signal.
int exit_code_of(const Result& result);

}  // namespace tq::cli
