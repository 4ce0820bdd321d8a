// LMDB's data file as plain bytes, before a map of it may be touched. As LMDB 0.9 writes it on 64-bit little-endian machines
// (mdb.c: MDB_meta, MDB_page, MDB_node); FORMAT.md has the layout. Functions throw IoError if the file cannot be read.
#pragma once

#include <cstdint>
#include <filesystem>

namespace tq::store {

// Throws Unsupported if the file does not begin with a meta page of LMDB's, in the version that is known here.
void refuse_foreign(int fd, const std::filesystem::path& path);
// Throws Damaged if a page that is in use lies beyond the end of the file: touching it through a map would kill the process.
// The caller holds the write lock.
void refuse_cut_off(int fd, const std::filesystem::path& path);

}  // namespace tq::store
