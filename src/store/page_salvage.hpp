// Reads what is whole of a data file whose pages do not hang together, without LMDB, which would believe them.
#pragma once

#include "store/transaction.hpp"

#include <filesystem>
#include <functional>
#include <string_view>

namespace tq::store {

// Can LMDB read the file safely (page_check.hpp)? Nobody may have it open.
bool has_sound_pages(const std::filesystem::path& path);

// Visits every entry of every leaf page that can be reached from the trees of the newest meta page; where one of those is broken, of the
// older. Whatever hangs below a page that is broken is lost. Pages that are not in use are never looked at: they hold earlier
// states of records. Nobody may have it open. Throws Damaged if there is nothing to begin with, IoError.
void salvage_pages(const std::filesystem::path& path,
                   const std::function<void(Tree tree, std::string_view key, std::string_view stored)>& visit);

}  // namespace tq::store
