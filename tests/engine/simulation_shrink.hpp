// Makes a list of steps that fails as short as it gets.
#pragma once

#include "simulation_step.hpp"

#include <functional>

namespace tq::engine {

// `fails` says of a list whether it fails; `steps` does. Drops stretches of it, halves at first and single steps at last, and
// then makes numbers 0 or small, as long as what is left still fails. Tries about `most_steps` steps in all.
Steps shrink(Steps steps, const std::function<bool(const Steps&)>& fails, std::size_t most_steps = 3'000'000);

}  // namespace tq::engine
