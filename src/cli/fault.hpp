// A store whose pages are damaged can bring the process down: LMDB goes where they say. Then there are a sentence and an exit code
// of tq's own, instead of a signal's. `tq check` looks at the pages before it goes along them.
#pragma once

#include <string>

namespace tq::cli {

// From now on, once a store has been named, SIGSEGV, SIGBUS and SIGABRT end the process with `exit_code`. Not under sanitizers,
// which report them themselves.
void expect_faults(int exit_code);
// Which store is in use.
void name_store(const std::string& path);

}  // namespace tq::cli
