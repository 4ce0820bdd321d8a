// What `--help` prints.
#pragma once

#include "cli/parameters.hpp"
#include "cli/verb.hpp"

#include <string>

namespace tq::cli {

// Of `tq` itself: every verb with its summary.
std::string help();
// Of one verb; `own` is what it declares, `everywhere` what all take.
std::string help(const VerbEntry& verb, const Parameters& own, const Parameters& everywhere);
// "tq add [OPTION...] [--] COMMAND [ARG...]"
std::string usage(const VerbEntry& verb, const Parameters& own);

}  // namespace tq::cli
