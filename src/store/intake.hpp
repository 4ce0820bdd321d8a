// The intake: a log beside the data file, in which one record is durable after one flush of one page, where a commit of LMDB
// takes two flushes and ten pages. Whoever writes to the store next takes its records in, exactly once: how far that has
// come is stored by the same transaction. It also gives out the numbers of what is added, so that they are one sequence.
//
// `jobs.tq-intake` is a ring of some MiB, written with zeros beforehand, so that a flush has no metadata to write.
// `jobs.tq-intake-ends` is shared memory that says how far it is written, flushed and taken. It survives kill -9, and is
// made anew, from the ring, by whoever opens the store when nobody else has it open.
//
//   kept <= taken <= head        positions, counted over all laps; before `kept` the ring may be written again
//   synced                       what a flush has covered: a record is acknowledged when it lies before
#pragma once

#include "base/gathering.hpp"
#include "base/shared_map.hpp"
#include "store/intake_record.hpp"
#include "store/lock_file.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace tq::store {

// Thread-safe.
class Intake {
 public:
  // `taken`: how far the store has it. `is_first`: nobody else has the store open. Throws Damaged, StoreError, IoError.
  Intake(std::string path, LockFile& locks, IntakeEnd taken, bool is_first);
  ~Intake();
  Intake(const Intake&) = delete;
  Intake& operator=(const Intake&) = delete;

  // Bytes of one record at most.
  static constexpr std::size_t kMostBytes = 128 * 1024;
  // Bytes of the ring, as it is made; and may one have so many, of whatever version?
  static constexpr std::uint64_t kRingBytes = 4 << 20;
  static bool is_ring_size(std::uint64_t bytes) { return bytes >= 4 * kMostBytes && bytes % kIntakeAlign == 0; }

  struct Added {
    std::uint64_t number = 0;  // the record's; 0: there is no room, or no intake, and nothing was written
    bool fills_up = false;     // somebody should take in what there is, durably, and this caller is asked to
  };
  // Durable on return. `seen` is called, on any thread, when whoever takes in would find the record: that is before it is
  // durable, so that others can begin while the disk is busy. Callers share flushes: those of one process that arrive while one is under way, and those of other
  // processes whose records were written before it. Throws IoError.
  Added add(std::string_view bytes, const std::function<void()>& seen);

  // Are there records which the store does not have?
  bool is_pending() const;
  // Of those, how many bytes.
  std::uint64_t pending_bytes() const;

  // Numbers below this have been given out.
  void raise_next(std::uint64_t number);
  // Gives out `count` numbers, and says how far records had come: those up to there have lower numbers, all others higher.
  struct Reserved {
    std::uint64_t first = 0;
    std::uint64_t upto = 0;
  };
  Reserved reserve(std::size_t count);
  // They were not used. If nobody has got one since, they are given out again.
  void give_back(std::uint64_t first, std::size_t count);

  // Visits the records between two ends. Returns where they really end: that is `upto`, unless they are damaged.
  IntakeEnd visit(IntakeEnd from, std::uint64_t upto, const std::function<void(const IntakeRecord&)>& visit);
  // A transaction has been committed; the store has the records up to `end`. `durable`: a power cut will not undo that.
  void took(std::uint64_t end, bool durable);

  const std::string& path() const { return path_; }

  struct Shared;

 private:
  struct Item {
    std::string_view bytes;
    const std::function<void()>& seen;
    Added added;
  };
  class Lock;

  void recover(IntakeEnd taken);
  std::uint64_t remembered(IntakeEnd taken, std::uint64_t inode) const;
  void refuse_lost_records(IntakeEnd end, std::uint64_t synced);
  bool has_file();
  bool make_file();
  void open_ring();
  std::string read(std::uint64_t position, std::size_t most) const;
  void write(std::span<Item* const> items);
  IntakeEnd write_records(std::span<Item* const> items);
  void write_at(std::uint64_t position, std::string_view bytes) const;
  void sync(std::uint64_t upto);
  IntakeEnd end() const;
  void publish(IntakeEnd end);

  const std::string path_;
  LockFile& locks_;
  const base::SharedMap map_;
  Shared& shared_;
  base::Gathering<Item> gathering_;
  std::mutex append_mutex_;  // the kernel's lock is the process's: this is its threads'
  std::mutex file_mutex_;
  base::Fd file_;                 // by file_mutex_ until it is open
  std::uint64_t ring_bytes_ = 0;  // 0: there is no file yet
  bool is_unavailable_ = false;   // it could not be made; by append_mutex_
  std::uint64_t recovered_bytes_ =
      0;  // found when it was opened, until somebody has been asked to take them in; the same
};

}  // namespace tq::store
