// Whether LMDB's pages hang together. LMDB believes what they say: one flipped bit in a page's header, a place or a branch, and it
// reads outside the map, misses records or writes over pages that are in use. So whatever may be damaged is read as plain bytes
// first.
//
// Proven of each tree: every page has its number and kind; its nodes lie within it, side by side, without a gap; its keys are
// in order and within what the branch above says; all leaves are equally deep; pages and entries are as many as the tree's
// record says; data that lies elsewhere has pages of its own. Of all: no page is used twice, or used and free, or neither.
// What the records hold is another matter: they have checksums.
#pragma once

#include "store/environment.hpp"
#include "store/pages.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tq::store {

// What is wrong with the pages of a state, one sentence each, the first hundred or so.
std::vector<std::string> page_problems(const DataFile& file, const MetaPage& meta);

// The same of the newest state of an open store. Holds that state meanwhile, and blocks nobody. Reads all pages but those
// of large values: 100 MB in a tenth of a second, if they are in memory. Throws IoError.
std::vector<std::string> check_pages(Environment& environment);

// The pages that the tree of free pages names, in the order in which it does; nothing if that tree is damaged.
std::optional<std::vector<std::uint64_t>> free_pages(const DataFile& file, const MetaPage& meta);

// Throws Damaged if the meta pages do not go together, or if what every opening reads and every commit writes is damaged: the
// trees of free pages, of trees, and the catalogue. The caller holds the write lock.
void refuse_broken_roots(int fd, const std::filesystem::path& path);

}  // namespace tq::store
