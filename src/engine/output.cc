#include "engine/output.hpp"

#include "base/clock.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace tq::engine {
namespace {

// With the record's own fields and the checksum one overflow page of the store, exactly.
constexpr std::size_t kPieceBytes = 4000;

void put_piece(Ledger& ledger, Job& job, const Piece& piece, std::string_view bytes) {
  model::JobHeader& header = job.header();
  const model::LogRecord record{base::to_ms(piece.time), header.attempt, piece.stream, std::string(bytes)};
  store::put(ledger.txn(), LogKey{job.id, header.log_next++}, model::encode(record));
  header.log_bytes += bytes.size();
}

void put_in_head(Ledger& ledger, Job& job, const Piece& piece, std::string_view& left, std::uint64_t head_limit) {
  model::JobHeader& header = job.header();
  while (!left.empty() && header.log_dropped_after == 0 && header.log_head_bytes < head_limit) {
    const std::size_t size = std::min<std::size_t>({left.size(), kPieceBytes, head_limit - header.log_head_bytes});
    put_piece(ledger, job, piece, left.substr(0, size));
    header.log_head_bytes += size;
    left.remove_prefix(size);
  }
  // The head is full: what follows is the tail.
  if (header.log_dropped_after == 0 && header.log_head_bytes >= head_limit)
    header.log_dropped_after = header.log_next - 1;
}

void trim_tail(Ledger& ledger, Job& job, std::uint64_t tail_limit) {
  model::JobHeader& header = job.header();
  while (header.log_bytes - header.log_head_bytes > tail_limit) {
    store::Cursor<LogKey> cursor(ledger.txn());
    const bool found = cursor.seek({job.id, header.log_dropped_after + 1}) && cursor.key().job == job.id;
    if (!found) base::fail<Damaged>("the output of job {} is shorter than its record says", job.id);
    const LogKey key = cursor.key();
    const std::size_t size = model::decode_log(cursor.value()).bytes.size();
    store::erase(ledger.txn(), key);
    header.log_bytes -= size;
    header.log_dropped_bytes += size;
  }
}

LogChunk gap_note(const model::JobHeader& header, Time time) {
  return {header.log_dropped_after, time, header.attempt, Stream::note,
          fmt::format("[{} bytes of output dropped here]\n", header.log_dropped_bytes)};
}

}  // namespace

bool append_output(Ledger& ledger, const RunKey& key, const std::vector<Piece>& pieces, std::uint64_t skipped_bytes,
                   std::uint64_t limit_bytes) {
  auto job = load_running(ledger, key);
  if (!job) return false;
  const std::uint64_t head_limit = std::max<std::uint64_t>(limit_bytes / 2, 1);
  const std::uint64_t tail_limit = limit_bytes - limit_bytes / 2;
  if (skipped_bytes != 0) {
    model::JobHeader& header = job->header();
    header.log_dropped_bytes += skipped_bytes;
    if (header.log_dropped_after == 0) header.log_dropped_after = header.log_next - 1;
  }
  for (const Piece& piece : pieces) {
    std::string_view left = piece.bytes;
    put_in_head(ledger, *job, piece, left, head_limit);
    while (!left.empty()) {
      const std::size_t size = std::min(left.size(), kPieceBytes);
      put_piece(ledger, *job, piece, left.substr(0, size));
      left.remove_prefix(size);
    }
  }
  trim_tail(ledger, *job, tail_limit);
  ledger.save_quietly(*job);
  ledger.touched().output = true;
  return true;
}

std::vector<LogChunk> output(const store::Transaction& txn, const model::JobHeader& header, JobId job,
                             std::uint64_t after, std::size_t max_bytes) {
  std::vector<LogChunk> chunks;
  if (after == UINT64_MAX) return chunks;
  std::size_t size = 0;
  std::uint64_t expected = after + 1;
  store::Cursor<LogKey> cursor(txn);
  for (bool more = cursor.seek({job, after + 1}); more && size < max_bytes; more = cursor.next()) {
    const LogKey key = cursor.key();
    if (key.job != job) break;
    model::LogRecord record = model::decode_log(cursor.value());
    const bool crosses_gap = key.seq > expected || expected == header.log_dropped_after + 1;
    if (crosses_gap && header.log_dropped_bytes != 0) chunks.push_back(gap_note(header, base::from_ms(record.time_ms)));
    expected = key.seq + 1;
    size += record.bytes.size();
    chunks.push_back({key.seq, base::from_ms(record.time_ms), record.attempt, record.stream, std::move(record.bytes)});
  }
  return chunks;
}

}  // namespace tq::engine
