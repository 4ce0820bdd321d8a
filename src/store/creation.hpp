// How a store comes into being: whole, or not at all.
#pragma once

#include "base/fd.hpp"

#include <filesystem>

namespace tq::store {

// Makes an empty store at `path`, where none is; durable when this returns. It is made under another name first, so that
// nobody ever sees half of it; what an earlier attempt left is removed. The caller holds the write lock.
void create_store(const std::filesystem::path& path);
// Finishes the creation of a store whose maker died after it had appeared under its name, but before that was durable.
void finish_creation(int fd, const std::filesystem::path& path);

// Makes an empty store, unnamed: `path` is where its files stand for the moment.
void write_empty_store(const std::filesystem::path& path);

}  // namespace tq::store
