// Byte strings of any size up to the limit, owned by a job: small ones in one record, middle ones in chunks that fill an
// overflow page each, large ones in a synced file beside the store.
//
// Written in two steps, so that the write lock is not held while a large one goes to disk: prepare, then put.
#pragma once

#include "store/transaction.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace tq::store {

// What a blob is to its job. On disk: never renumber.
enum class BlobKind : std::uint8_t { payload = 1, result = 2, saved = 3 };

inline constexpr std::size_t kChunkBytes = 2000;  // up to here one record: small enough to stay off overflow pages
inline constexpr std::size_t kOverflowChunkBytes =
    4076;  // of a longer one: with checksum and page header one page exactly
inline constexpr std::size_t kSideFileBytes = 64 * 1024;  // from here a file of its own

// Bytes on their way into a transaction. If they are large they are in a synced side file already, which is removed again
// unless a transaction takes it and commits.
class PreparedBlob {
 public:
  // Does not need, and must not be called within, a transaction. Throws IoError, DiskFull.
  PreparedBlob(Environment& environment, std::string bytes);
  ~PreparedBlob();
  PreparedBlob(PreparedBlob&&) noexcept;
  PreparedBlob& operator=(PreparedBlob&&) noexcept;
  std::size_t size() const;

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Stores it as the job's blob of that kind, in place of an earlier one.
void put_blob(WriteTransaction& txn, JobId job, BlobKind kind, PreparedBlob blob);
// The bytes, or nothing. Throws Damaged also when a side file is missing, short or altered.
std::optional<std::string> get_blob(const Transaction& txn, JobId job, BlobKind kind);
std::optional<std::uint64_t> blob_size(const Transaction& txn, JobId job, BlobKind kind);
// Removes it with its chunks; its side file goes after the commit. False if there was none.
bool erase_blob(WriteTransaction& txn, JobId job, BlobKind kind);

// Calls `problem` for every blob that is incomplete or altered (reads side files only if `deep`) and for side files that
// belong to no blob and to no living process. Returns how many records it looked at.
std::uint64_t check_blobs(const Transaction& txn, bool deep, const std::function<void(std::string)>& problem,
                          const std::function<void(JobId, BlobKind)>& seen);
// Moves side files that no blob refers to into a directory, which is made if it is missing. For a store that was rebuilt: they may
// belong to records that were lost. Returns how many.
std::uint64_t move_idle_side_files(Environment& environment, const std::string& directory);
// Removes side files that no blob refers to and no living process is writing: what a kill -9 between two steps left.
std::uint64_t collect_side_files(Environment& environment);

}  // namespace tq::store
