// One state after a power cut, put to the test: opened, checked, held against what was acknowledged, and written to.
#pragma once

#include "power_cut/ledger.hpp"

#include <string>
#include <vector>

namespace tq::test::power_cut {

// Each is a list of sentences; all empty: nothing is wrong.
struct Verdict {
  std::vector<std::string> lost;    // of what was acknowledged
  std::vector<std::string> wrong;   // falsely acknowledged
  std::vector<std::string> broken;  // does not open, does not pass its check, or cannot be written to

  bool is_good() const { return lost.empty() && wrong.empty() && broken.empty(); }
};

// `thorough`: also writes a side file, opens the store once more, and checks it again.
Verdict try_out(const std::string& store, const Ledger& ledger, bool thorough);

}  // namespace tq::test::power_cut
