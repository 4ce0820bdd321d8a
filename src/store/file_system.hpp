// What is asked of a path before LMDB may touch it: every refusal leaves the file as it was, byte for byte.
#pragma once

#include "base/fd.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <sys/types.h>
#include <utility>

namespace tq::store {

// Which file it is, whatever name led to it: device and inode.
using FileId = std::pair<dev_t, ino_t>;

// Absolute, with the symbolic link at its end followed (side files stand beside the file, not beside a link to it).
std::filesystem::path resolve(const std::filesystem::path& path);
// Nothing if there is no such file. Throws IoError if it cannot be looked at.
std::optional<FileId> identify(const std::filesystem::path& path);
FileId identify(int fd, const std::filesystem::path& path);

// Makes the directory that `path` is to stand in, with those above it, each 0700. On return all of them are synced into their
// parents, whoever has made them.
void make_parent_directory(const std::filesystem::path& path);
// Throws Unsupported if the directory of `path` is on a network file system: neither locks nor shared maps hold there.
void refuse_network(const std::filesystem::path& path);
// Opens an existing data file for reading and writing. Throws Unsupported if it is a directory, no regular file, on a
// read-only medium or no store by its first bytes, IoError if it may not be written.
base::Fd open_data_file(const std::filesystem::path& path);

// The type number of a file system (statfs) that other machines may be writing to.
bool is_network_file_system(std::uint64_t type);

}  // namespace tq::store
