// The open store: one per file and process, found again through a registry, since LMDB must not be opened twice in one
// process (the second close drops the first one's locks).
#pragma once

#include "base/fd.hpp"
#include "store/lock_file.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tq::store {

class ReadTransaction;
class WriteTransaction;
struct Format;

struct EnvironmentOptions {
  bool create = true;
  std::uint64_t quota_bytes = 0;   // 0: none; of several opens in one process the last that names one counts
  const Format* format = nullptr;  // what to read and write, with the steps that lead there; null: this build's
};

struct Usage {
  std::uint64_t file_bytes = 0;  // of the data file
  std::uint64_t used_bytes = 0;  // of those, in pages that hold something
};

// Thread-safe. After fork() it must not be used in the child: every call throws there.
class Environment : public std::enable_shared_from_this<Environment> {
 public:
  // Opens or creates the store at `path`; ":memory:" makes a private one without a file.
  // Throws NotFound (no file and not create), Unsupported, Damaged, IoError.
  static std::shared_ptr<Environment> open(const std::filesystem::path& path, const EnvironmentOptions& options);
  // A store whose file stands under another name for the moment, `file`, while it is filled (making.hpp) or rebuilt: side files
  // go where they belong. Nobody else may know of it. It has no intake. `writable`: nothing is durable until the file is
  // synced; else it is only read.
  static std::shared_ptr<Environment> open_alone(const std::filesystem::path& path, const std::filesystem::path& file,
                                                 bool writable);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // One consistent state. Never blocks on a writer (but for the first few, which make reader slots under the write lock).
  ReadTransaction read();
  // Waits for the write lock: of this process's other threads first, then of other processes.
  // Throws IoError once a commit or sync through this environment has failed.
  WriteTransaction write();

  // The store's UUID, 16 bytes, made with the store.
  const std::string& uuid() const;
  bool in_memory() const;
  // Absolute, "" for a store in memory.
  const std::filesystem::path& path() const;
  // "jobs.tq" + suffix, for the side files of other floors ("-bell"). "" for a store in memory.
  std::string side_path(const std::string& suffix) const;
  // Which workers live.
  LockFile& locks();
  Usage usage();

  // A number of its own for a record that was added to the intake.
  struct Intaken {
    std::uint64_t number =
        0;                  // 0: it has to go into a transaction: the intake, the quota or the disk is full, or nearly
    bool fills_up = false;  // the caller is asked to have the intake taken in, so that there is room for others
  };
  // Adds a record to the intake, from which the next write transaction takes it (take_in). Durable on return. `seen` is called
  // before that, on any thread, when take_in would find it.
  // Throws IoError.
  Intaken add_to_intake(
      std::string_view record, const std::function<void()>& seen = [] {});
  // Are there records that no transaction has taken?
  bool intake_is_pending() const;
  // Records and take_in get numbers from `next` on.
  void raise_intake(std::uint64_t next);

  class Impl;
  Impl& impl() { return *impl_; }

 private:
  friend class Opening;
  explicit Environment(std::unique_ptr<Impl> impl);
  WriteTransaction write_in_opening();

  std::unique_ptr<Impl> impl_;
};

}  // namespace tq::store
