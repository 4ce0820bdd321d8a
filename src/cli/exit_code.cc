#include "cli/exit_code.hpp"

#include <tq/error.hpp>

namespace tq::cli {

int exit_code_of(const std::exception& error) {
  if (dynamic_cast<const InvalidArgument*>(&error) != nullptr) return kUsage;
  if (dynamic_cast<const NotFound*>(&error) != nullptr) return kNotFound;
  if (dynamic_cast<const Conflict*>(&error) != nullptr) return kConflict;
  if (dynamic_cast<const QueueFull*>(&error) != nullptr) return kFull;
  return kStoreFailed;
}

int exit_code_of(const Result& result) {
  switch (result.state) {
    case State::succeeded:
      return kDone;
    case State::cancelled:
    case State::expired:
      return kCancelled;
    default:
      // The code that a command had when its time-out ended it is that of the signal: the time-out says more.
      if (result.error.starts_with("timed out")) return kTimedOut;
      return result.exit_code.value_or(0) != 0 ? *result.exit_code : kNotSucceeded;
  }
}

}  // namespace tq::cli
