// `check --repair`.
#pragma once

#include "cli/session.hpp"

namespace tq::cli {

// Repairs the store of the session if a deep check finds anything. Returns the exit code.
int run_repair(Session& session);

}  // namespace tq::cli
