// A job as it is stored: a header that every transition reads and writes, then four byte sections whose lengths are in the
// header. Only `details` needs a decoder (cereal); nothing that claims, completes or retries looks into it.
//
//   record  := version header details payload result error zeros
//   header  := packed little-endian fields (model/fields.hpp): those of JobHeader in its order, and the lengths of the four
//              sections (4 bytes each)
//
// The checksum around the whole is the store's.
#pragma once

#include <tq/types.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace tq::model {

inline constexpr std::uint8_t kJobRecordVersion = 1;
// Payloads and results up to this size are sections of the record; larger ones are blobs of the store.
inline constexpr std::size_t kInlineBytes = 1024;

// On disk: never renumber.
enum JobFlag : std::uint32_t {
  kCancelRequested = 1u << 0,  // the running attempt has been asked to stop
  kPayloadIsBlob = 1u << 1,
  kResultIsBlob = 1u << 2,
  kHasSaved = 1u << 3,     // there is a saved state (always a blob)
  kHasExitCode = 1u << 4,  // exit_code means something
  kAhead = 1u << 5,        // claimed by a worker that is still busy: its attempt has not begun
  kSpan = 1u << 6,         // due_ms is the end of a wait of some length, not a time that somebody named
};

// The codecs that nearly all payloads and results have take two bits of the flags each, not a place in the details.
// 0: `raw`, or what the details say; 1: `cereal`; 2: `json`; 3: `command`.
inline constexpr unsigned kPayloadCodecShift = 7;
inline constexpr unsigned kResultCodecShift = 9;

// Times and durations are milliseconds; 0 is "none" unless said otherwise.
struct JobHeader {
  State state = State::ready;
  Backoff::Kind backoff_kind = Backoff::Kind::exponential;
  std::uint16_t backoff_jitter_permille = 0;
  std::uint32_t flags = 0;
  std::uint32_t queue = 0;  // number in the catalogue of queues
  std::uint32_t task = 0;   // number in the catalogue of tasks
  std::int32_t priority = 0;
  std::uint32_t run = 0;      // counted up at each claim: fences late completions
  std::uint32_t attempt = 0;  // attempts that count; while running, the number of this one
  std::uint32_t max_retries = 0;
  std::uint32_t crashes = 0;
  std::int32_t exit_code = 0;
  std::int64_t enqueued_ms = 0;
  std::int64_t due_ms = 0;  // when it became, or will become, ready: its place in the line
  std::int64_t started_ms = 0;
  std::int64_t finished_ms = 0;
  std::int64_t expires_ms = 0;      // the deadline to start
  std::int64_t timeout_ms = 0;      // of one attempt
  std::int64_t keep_until_ms = 0;   // of a final job: retention removes it then; 0 while not final
  std::int64_t result_ttl_ms = -1;  // -1: the store's retention
  std::int64_t backoff_base_ms = 0;
  std::int64_t backoff_cap_ms = 0;
  std::uint64_t worker = 0;             // that runs it, or ran it last
  std::uint64_t last_event = 0;         // number of its newest event; each event names the one before
  std::uint64_t log_next = 1;           // number of its next piece of output
  std::uint64_t log_bytes = 0;          // of output kept
  std::uint64_t log_head_bytes = 0;     // of those, in the head that is never dropped
  std::uint64_t log_dropped_bytes = 0;  // of output dropped between head and tail
  std::uint64_t log_dropped_after = 0;  // the last number of the head: the gap is behind it; 0: no gap

  bool has(JobFlag flag) const { return (flags & flag) != 0; }
  void set(JobFlag flag, bool on = true) { flags = on ? flags | flag : flags & ~static_cast<std::uint32_t>(flag); }
  bool operator==(const JobHeader&) const = default;
};

// The cold part.
struct JobDetails {
  std::string payload_codec = "raw";
  std::string result_codec = "raw";
  std::vector<std::string> labels;
  bool operator==(const JobDetails&) const = default;
};

// A record taken apart. The sections are owned copies, so that it outlives the transaction.
struct JobRecord {
  JobHeader header;
  std::string details;  // encoded JobDetails
  std::string payload;  // empty if it is a blob
  std::string result;   // empty if it is a blob
  std::string error;    // of the last failed attempt
  bool operator==(const JobRecord&) const = default;
};

// With so many zeros behind it: room in which it may grow without having to move.
std::string encode(const JobRecord& record, std::size_t room = 0);
// Throws Damaged, also for a version that is not known or fields that cannot be (a state out of range).
JobRecord decode_job(std::string_view bytes);
// The header alone: for scans.
JobHeader decode_job_header(std::string_view bytes);

// The section of details, and in the header the codecs that have bits there. Empty for the defaults.
std::string encode_details(JobHeader& header, const JobDetails& details);
// Throws Damaged.
JobDetails decode_details(const JobHeader& header, std::string_view section);

}  // namespace tq::model
