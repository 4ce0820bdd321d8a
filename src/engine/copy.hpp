// A copy of a store, as the engine sees it.
#pragma once

#include "store/copy.hpp"

namespace tq::engine {

// As store::copy_records. In the copy nobody works on the jobs that run in the original: who opens it makes them ready again.
std::uint64_t copy(store::Environment& from, store::Environment& made, const store::Progress& progress);

}  // namespace tq::engine
