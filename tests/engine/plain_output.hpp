// What a job has written, as the plain model keeps it.
#pragma once

#include "engine/output.hpp"

#include <tq/types.hpp>

#include <cstdint>
#include <vector>

namespace tq::engine {

// The first half of what is allowed stays, of the rest the newest.
class PlainOutput {
 public:
  std::uint64_t kept = 0;
  std::uint64_t dropped = 0;

  void append(const std::vector<Piece>& pieces, std::uint64_t skipped, std::uint64_t limit, std::uint32_t attempt);
  // As TaskQueue::log returns it, but for the words of the note about a gap, and the attempt and time it bears.
  std::vector<LogChunk> read(std::uint64_t after, std::size_t max_bytes) const;

 private:
  void put(const Piece& piece, std::string bytes, std::uint32_t attempt);

  std::vector<LogChunk> chunks_;
  std::uint64_t last_ = 0;       // number of a chunk
  std::uint64_t head_ = 0;       // bytes of chunks that stay
  std::uint64_t gap_after_ = 0;  // the last chunk of the head, once that is full; 0: it is not
};

}  // namespace tq::engine
