#include "worker/output_buffer.hpp"

#include <algorithm>
#include <iterator>

namespace tq::worker {
namespace {

// Beyond the head: what is kept for a turn, which comes ten times a second.
constexpr std::uint64_t kTailBytes = 256 * 1024;
// Pieces of one stream that follow each other are one piece up to this size, as the log has it.
constexpr std::size_t kPieceBytes = 4000;

template <class Pieces>
void add_piece(Pieces& pieces, Time now, Stream stream, std::string_view bytes) {
  if (bytes.empty()) return;
  if (!pieces.empty() && pieces.back().stream == stream && pieces.back().bytes.size() + bytes.size() <= kPieceBytes) {
    pieces.back().bytes += bytes;
  } else {
    pieces.push_back({now, stream, std::string(bytes)});
  }
}

}  // namespace

OutputBuffer::OutputBuffer(std::uint64_t logged_bytes, std::uint64_t limit_bytes)
    : head_left_(limit_bytes / 2 > logged_bytes ? limit_bytes / 2 - logged_bytes : 0) {}

void OutputBuffer::add(Time now, Stream stream, std::string_view bytes) {
  const std::size_t for_head = std::min<std::uint64_t>(bytes.size(), head_left_);
  add_piece(head_, now, stream, bytes.substr(0, for_head));
  head_left_ -= for_head;
  add_piece(tail_, now, stream, bytes.substr(for_head));
  tail_bytes_ += bytes.size() - for_head;
  while (tail_bytes_ > kTailBytes && tail_.size() > 1) {
    tail_bytes_ -= tail_.front().bytes.size();
    skipped_bytes_ += tail_.front().bytes.size();
    tail_.pop_front();
  }
}

OutputPart OutputBuffer::take(const engine::RunKey& key) {
  OutputPart part{key, std::move(head_), skipped_bytes_, {}};
  part.tail.assign(std::make_move_iterator(tail_.begin()), std::make_move_iterator(tail_.end()));
  head_.clear();
  tail_.clear();
  tail_bytes_ = 0;
  skipped_bytes_ = 0;
  return part;
}

}  // namespace tq::worker
