// A recorded run of the workload.
#pragma once

#include "power_cut/disk.hpp"
#include "power_cut/ledger.hpp"
#include "power_cut/log.hpp"

#include <string>
#include <vector>

namespace tq::test::power_cut {

inline constexpr const char* kStore = "deep/er/jobs.tq";  // below the recorded directory

// A new log at that path, mapped: a LogHead.
char* make_log(const std::string& path);

// A place in a recording, reached by going through it from its beginning. One thread at a time.
struct Replay {
  Disk disk{0};
  Ledger ledger;
};

class Recording {
 public:
  // Runs the workload: on a store that is new, or on what a power cut within `before` has left. `no_sync`: the part that is not
  // synced ("": all are). Throws if the workload fails, or has done what the log does not tell.
  explicit Recording(std::uint64_t seed, const std::string& no_sync = {}, const Recording* before = nullptr);
  ~Recording();
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  // The number of its records, and of those of them that change something on the disk.
  std::size_t size() const { return records_.size(); }
  std::size_t changes() const;

  Replay begin() const { return begin_; }
  // Goes on by one record, `number`.
  void apply(Replay& replay, std::size_t number) const;

  // The records before `end`, a line each.
  std::string describe(std::size_t end) const;

 private:
  const Record& record(std::size_t number) const;
  void read_log();
  void compare_with(const std::string& directory) const;

  Replay begin_;
  char* log_ = nullptr;
  std::vector<std::uint64_t> records_;  // their positions
};

}  // namespace tq::test::power_cut
