// How a store, and its intake, come into being: whole, or not at all.
#pragma once

#include "base/fd.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace tq::store {

// Makes an empty store at `path`, where none is; durable when this returns. It is made under another name first, so that
// nobody ever sees half of it; what an earlier attempt left is removed. The caller holds the write lock.
void create_store(const std::filesystem::path& path);
// The same for a file of any kind: `write` makes it under the name that it is given.
void create_file(const std::filesystem::path& path, const std::function<void(const std::string& made)>& write);
// Finishes the creation of a file whose maker died after it had appeared under its name, but before that was durable.
void finish_creation(int fd, const std::filesystem::path& path);

// Makes an empty store, unnamed: `path` is where its files stand for the moment.
void write_empty_store(const std::filesystem::path& path);

}  // namespace tq::store
