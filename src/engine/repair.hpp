// A damaged store made anew from what is whole of it.
#pragma once

#include "store/copy.hpp"
#include "store/intake_salvage.hpp"

#include <tq/record.hpp>
#include <tq/types.hpp>

#include <functional>
#include <vector>

namespace tq::engine {

// Fills the empty store `made` from the records of `old` that match their checksums, and from what lies in the intake. What else there
// was goes to `set_aside`. All that is derived is made anew; what refers to something that is lost is put right such that
// check() finds nothing. `now` is the end of jobs that cannot run any more.
Repaired repair(const store::Transaction& old, store::Environment& made,
                const std::vector<store::SalvagedRecord>& intake, Time now,
                const std::function<void(const Damage&)>& set_aside, const store::Progress& progress);

}  // namespace tq::engine
