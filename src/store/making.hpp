// A store that comes into being full: a copy, an import, a rebuilt one. It is made under another name and filled there, so
// that it is all there or not there at all, whatever is killed in between.
#pragma once

#include "store/table.hpp"
#include "store/transaction.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace tq::store {

using Fill = std::function<void(Environment& made)>;

// Makes the store `path`, where none is, filled by `fill`. Durable on return. What `fill` throws is passed on, and leaves no
// store. Others who open `path` meanwhile wait. Throws Conflict if there is a store, or files that an earlier one of that
// name left behind.
void make_store(const std::filesystem::path& path, const Fill& fill);

// Makes the store anew: as make_store, but its file takes the place of `path`, which is kept as `kept`. `fill` reads from that,
// which nobody else does meanwhile. Side files and intake stay where they are, but for an intake that is cut off, which becomes
// `kept` + "-intake". Throws Conflict if anybody has it open, or `kept` is there.
void remake_store(const std::filesystem::path& path, const std::filesystem::path& kept, const Fill& fill);

// A store without a name, that is gone when it is closed, with the side files of `path`: filled by `fill`, to be read from.
std::shared_ptr<Environment> make_nameless(const std::filesystem::path& path, const Fill& fill);

// Makes the store as make_store does, and only when that is whole and durable sets aside what is there, as set_aside does, and takes
// its place. Where nothing is, it goes on with what an earlier attempt that was killed has left undone. Throws Conflict if anybody
// has it open, or `aside` is there: then nothing has changed.
void replace_store(const std::filesystem::path& path, const std::filesystem::path& aside, const Fill& fill);

// Gives the store and its side files another name, so that there is none of the old one. What an earlier attempt that was killed
// has done already is not done again. Throws Conflict if anybody has it open, or there is a store `to`.
void set_aside(const std::filesystem::path& path, const std::filesystem::path& to);

// Has set_aside() been killed half-way? Then it has to be done again before anything else is done there.
bool is_half_aside(const std::filesystem::path& path, const std::filesystem::path& to);

// Writes to a store in the making, in transactions of bounded size. One thread.
class Filler {
 public:
  explicit Filler(Environment& made) : made_(made) {}

  // Keys of a tree mostly come in ascending order: then its pages get full.
  void put(Tree tree, std::string_view key, std::string_view value = {});
  template <class Key>
  void put(const Key& key, std::string_view value = {}) {
    put(Key::kTree, encode_key(key), value);
  }
  // The running transaction, for what is more than a record. `bytes` is about what is going to be written.
  WriteTransaction& txn(std::size_t bytes);
  // Last call.
  void finish();

 private:
  Environment& made_;
  std::optional<WriteTransaction> txn_;
  std::size_t bytes_ = 0;
};

}  // namespace tq::store
