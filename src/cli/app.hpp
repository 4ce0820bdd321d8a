// The whole of `tq`, but for what only a process can set up.
#pragma once

namespace tq::cli {

// Does what the arguments say and returns the exit code. Throws nothing.
int run(int argc, const char* const* argv);

}  // namespace tq::cli
