// A record of the intake as bytes. FORMAT.md has the layout.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tq::store {

inline constexpr std::size_t kIntakeHeadBytes = 40;
inline constexpr std::size_t kIntakeAlign = 8;

// Where a record ends, and its checksum, which the one behind it names: so that nothing that an earlier lap, or a write that
// was lost in part, has left there is taken for its successor.
struct IntakeEnd {
  std::uint64_t position = 0;
  std::uint32_t checksum = 0;
  bool operator==(const IntakeEnd&) const = default;
};

struct IntakeRecord {
  std::uint64_t position = 0;  // of its first byte, counted over all laps
  std::uint64_t number = 0;    // 0: none, it only fills the lap
  std::uint64_t synced = 0;    // what had been flushed when it was written
  std::uint32_t size = 0;      // of its bytes
  std::uint32_t before = 0;    // checksum of the record before
  std::uint32_t checksum = 0;
  std::string_view bytes;  // into what was decoded

  IntakeEnd end() const;
};

// What a record with so many bytes takes.
constexpr std::uint64_t intake_record_bytes(std::size_t size) {
  return (kIntakeHeadBytes + size + kIntakeAlign - 1) / kIntakeAlign * kIntakeAlign;
}

// Appends the record to `out`; its size and checksum follow from the rest. Returns where it ends.
IntakeEnd append_record(std::string& out, IntakeRecord record);
// One that takes `bytes` (a multiple of 8, at least a head) and holds nothing.
IntakeEnd append_filler(std::string& out, std::uint64_t position, std::uint64_t synced, std::uint32_t before,
                        std::uint64_t bytes);
// The record at the start of `bytes`, if there is a whole one that belongs at `position`.
std::optional<IntakeRecord> decode_record(std::string_view bytes, std::uint64_t position);
// How long the record there says it is; 0 if that cannot be. To know how much to read.
std::uint64_t claimed_bytes(std::string_view head);

}  // namespace tq::store
