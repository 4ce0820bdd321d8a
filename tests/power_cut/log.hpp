// The log that the recorder writes: what all processes did to the durable files of a store, and what they said about it, in
// one order. A shared map: a head, then records one behind the other.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <pthread.h>
#include <string_view>

namespace tq::test::power_cut {

// Variables in the environment of what is recorded.
inline constexpr const char* kLogVariable = "TQ_POWER_CUT_LOG";         // the log's path
inline constexpr const char* kDirVariable = "TQ_POWER_CUT_DIR";         // below this, without symbolic links
inline constexpr const char* kNoSyncVariable = "TQ_POWER_CUT_NO_SYNC";  // a Part by its name, or "all": is not synced

inline constexpr std::uint64_t kSectorBytes = 512;
inline constexpr std::size_t kLogBytes = std::size_t{1} << 31;  // a file with a hole: only what is written takes space

enum class Kind : std::uint8_t {
  create,      // name: of a file that was not there; inode
  mkdir,       // name; inode
  link,        // name: of the old and the new one, with a zero byte between
  rename,      // the same
  unlink,      // name: of a file or an empty directory
  write,       // inode; offset; bytes
  truncate,    // inode; offset: the size from now on
  sync_begin,  // inode, of a file or a directory
  sync_end,    // offset: where its beginning is in the log
  wrote,       // offset: where in the log the write is that went through to the disk (O_DSYNC)
  note,        // bytes: what a process says
  strange,     // bytes: what happened and cannot be replayed
  memory,      // name; bytes: what shared memory, which is a file, held then
};

// Followed by `name_bytes` and `bytes`, and zeros up to a multiple of 8.
struct Record {
  std::uint64_t inode;
  std::uint64_t offset;
  std::uint32_t bytes;
  std::uint16_t name_bytes;
  Kind kind;
  std::uint8_t unused;

  std::string_view name() const { return {reinterpret_cast<const char*>(this + 1), name_bytes}; }
  std::string_view data() const { return {reinterpret_cast<const char*>(this + 1) + name_bytes, bytes}; }
  std::uint64_t size() const { return sizeof(Record) + ((std::uint64_t{name_bytes} + bytes + 7) & ~std::uint64_t{7}); }
};
static_assert(sizeof(Record) == 24);

struct LogHead {
  std::atomic<std::uint64_t> end;  // position behind the last record; positions count from the head's beginning
};
inline constexpr std::uint64_t kLogBegin = 4096;

// Which of a store's files a descriptor is open on. `meta` is the data file, too: the descriptor that writes through.
enum class Part { other, data, meta, making, intake, side, directory };
inline constexpr const char* kPartNames[] = {"other", "data", "meta", "making", "intake", "side", "directory"};

// Files that the store makes again: whatever a power cut leaves of them is right.
inline bool is_made_again(std::string_view name) {
  for (const std::string_view end : {"-lock", "-locks", "-bell", "-begun", "-intake-ends"}) {
    if (name.ends_with(end)) return true;
  }
  return false;
}

inline Part part_of(std::string_view name) {
  if (name.ends_with("-new")) return Part::making;
  if (name.ends_with("-intake")) return Part::intake;
  if (name.find("-blobs/") != name.npos) return Part::side;
  return name.ends_with(".tq") ? Part::data : Part::other;
}

}  // namespace tq::test::power_cut
