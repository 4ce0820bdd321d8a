#include "plain_output.hpp"

#include <algorithm>

namespace tq::engine {
namespace {

constexpr std::size_t kMostInChunk = 4000;

}  // namespace

void PlainOutput::put(const Piece& piece, std::string bytes, std::uint32_t attempt) {
  kept += bytes.size();
  chunks_.push_back({++last_, piece.time, attempt, piece.stream, std::move(bytes)});
}

void PlainOutput::append(const std::vector<Piece>& pieces, std::uint64_t skipped, std::uint64_t limit,
                         std::uint32_t attempt) {
  dropped += skipped;
  if (skipped != 0 && gap_after_ == 0) gap_after_ = last_;
  for (const Piece& piece : pieces) {
    for (std::size_t at = 0; at < piece.bytes.size();) {
      std::size_t most = kMostInChunk;
      const bool in_head = gap_after_ == 0 && head_ < limit / 2;
      if (in_head) most = std::min<std::size_t>(most, limit / 2 - head_);
      const std::size_t size = std::min(most, piece.bytes.size() - at);
      put(piece, piece.bytes.substr(at, size), attempt);
      at += size;
      if (in_head) head_ += size;
      if (gap_after_ == 0 && head_ >= limit / 2) gap_after_ = last_;
    }
  }
  while (kept - head_ > limit - limit / 2) {
    const auto oldest =
        std::find_if(chunks_.begin(), chunks_.end(), [&](const LogChunk& chunk) { return chunk.seq > gap_after_; });
    kept -= oldest->bytes.size();
    dropped += oldest->bytes.size();
    chunks_.erase(oldest);
  }
}

std::vector<LogChunk> PlainOutput::read(std::uint64_t after, std::size_t max_bytes) const {
  std::vector<LogChunk> read;
  std::size_t size = 0;
  std::uint64_t next = after + 1;
  for (const LogChunk& chunk : chunks_) {
    if (chunk.seq <= after) continue;
    if (size >= max_bytes) break;
    if (dropped != 0 && (chunk.seq > next || next == gap_after_ + 1)) {
      read.push_back({.seq = gap_after_, .time = chunk.time, .stream = Stream::note});
    }
    next = chunk.seq + 1;
    size += chunk.bytes.size();
    read.push_back(chunk);
  }
  return read;
}

}  // namespace tq::engine
