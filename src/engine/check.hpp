// Holds every index, counter, blob and event against every record. Each test store goes through it when its test ends.
#pragma once

#include "store/transaction.hpp"

#include <tq/types.hpp>

namespace tq::engine {

// Reads the whole store. `deep` also reads every byte of output and of side files. Damaged records are reported as problems,
// not thrown.
CheckReport check(const store::Transaction& txn, bool deep);

}  // namespace tq::engine
