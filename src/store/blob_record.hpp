// The records of a blob in the tree `blobs`, byte by byte.
#pragma once

#include "store/blob.hpp"
#include "store/table.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace tq::store {

// One record a blob. They stand last in the tree, so that those of new jobs can be appended.
struct BlobKey {
  static constexpr Tree kTree = Tree::blobs;
  static constexpr std::uint8_t kKind = 2;
  std::uint64_t job = 0;
  std::uint8_t kind = 0;  // BlobKind
  static constexpr auto fields(auto& self) { return std::tie(self.job, self.kind); }
};

// One record a chunk: its bytes and nothing else. All are kOverflowChunkBytes long but the last.
struct ChunkKey {
  static constexpr Tree kTree = Tree::blobs;
  static constexpr std::uint8_t kKind = 1;
  std::uint64_t job = 0;
  std::uint8_t kind = 0;  // BlobKind
  std::uint32_t index = 0;
  static constexpr auto fields(auto& self) { return std::tie(self.job, self.kind, self.index); }
};

inline BlobKey make_blob_key(JobId job, BlobKind kind) { return {job, static_cast<std::uint8_t>(kind)}; }
inline ChunkKey make_chunk_key(JobId job, BlobKind kind, std::uint32_t index) {
  return {job, static_cast<std::uint8_t>(kind), index};
}

// Where the bytes are. On disk: never renumber.
enum class BlobForm : std::uint8_t {
  whole = 1,   // in the record itself
  chunks = 2,  // in the chunk records
  file = 3,    // in a side file
};

struct BlobRecord {
  BlobForm form{};
  std::uint64_t size = 0;
  std::uint32_t checksum = 0;  // CRC32C of all bytes; not kept for `whole`, whose record has its own
  std::string file;            // of a side file: its name
  std::string_view bytes;      // of a whole one: points to where it was decoded from
};

std::string encode_blob(const BlobRecord& record);
// Nothing if the bytes are no blob record.
std::optional<BlobRecord> decode_blob(std::string_view bytes);

std::string_view to_string(BlobKind kind);

}  // namespace tq::store
