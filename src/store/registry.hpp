// The stores that are open in this process, by file: LMDB must not have one open twice, since closing any descriptor of
// its lock file drops the process's locks on it.
#pragma once

#include "store/environment.hpp"
#include "store/file_system.hpp"

#include <functional>
#include <memory>

namespace tq::store::registry {

// Opens a store and tells its identity; a null one asks to look again, since `is_open` said yes to it.
using IsOpen = std::function<bool(FileId)>;
using Open = std::function<std::pair<FileId, std::shared_ptr<Environment>>(const IsOpen& is_open)>;

// The open store with the identity that `find` tells, or a new one from `open`. Waits while another thread opens or closes
// any store. Thread-safe.
std::shared_ptr<Environment> find_or_open(const std::function<std::optional<FileId>()>& find, const Open& open);
// Runs `close`, and only then lets the file be opened again.
void close(FileId id, const std::function<void()>& close);

}  // namespace tq::store::registry
