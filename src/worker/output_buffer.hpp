// Output of one attempt between two turns. Bounded: what belongs to the head of the job's log is all kept; beyond it only the
// newest bytes, so that a command that writes a gigabyte costs neither memory nor disk for it, and never waits.
#pragma once

#include "worker/turn.hpp"

#include <cstdint>
#include <deque>
#include <string_view>

namespace tq::worker {

// Loop thread only.
class OutputBuffer {
 public:
  // `logged_bytes` is what the job's log holds already, `limit_bytes` what it may hold.
  OutputBuffer(std::uint64_t logged_bytes, std::uint64_t limit_bytes);

  void add(Time now, Stream stream, std::string_view bytes);
  bool empty() const { return head_.empty() && tail_.empty() && skipped_bytes_ == 0; }
  // Hands over what there is, and is empty then.
  OutputPart take(const engine::RunKey& key);

 private:
  std::uint64_t head_left_;  // bytes until the head is full
  std::vector<engine::Piece> head_;
  std::deque<engine::Piece> tail_;
  std::uint64_t tail_bytes_ = 0;
  std::uint64_t skipped_bytes_ = 0;
};

}  // namespace tq::worker
