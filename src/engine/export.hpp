// A store as records that no version of the file format changes, and back.
#pragma once

#include "store/copy.hpp"

#include <tq/record.hpp>

#include <functional>
#include <optional>

namespace tq::engine {

// Hands out every record of one state. Blobs are read whole, one at a time. Returns how many there were, with `store` and `end`.
// Throws Damaged.
std::uint64_t export_records(const store::Transaction& txn, const std::function<void(const Record&)>& take,
                             const store::Progress& progress);

// Fills an empty store in the making from such records. Throws InvalidArgument for one that cannot be, if they end
// early, or if they do not hold together.
std::uint64_t import_records(store::Environment& made, const std::function<std::optional<Record>()>& next);

}  // namespace tq::engine
