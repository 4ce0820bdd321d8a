// Every key of the engine. Which job stands under which index key follows from its header alone (index_keys), so that saving
// a job is one diff, and `check` can hold every index against every record.
//
// On disk: never renumber a kind, never change a field; FORMAT.md lists them.
#pragma once

#include "model/job_record.hpp"
#include "store/table.hpp"

#include <array>
#include <tuple>

namespace tq::engine {

using store::Tree;

// Tree::catalog. Kind 0 is the store's own.
struct TotalsKey {
  static constexpr Tree kTree = Tree::catalog;
  static constexpr std::uint8_t kKind = 1;
  static constexpr auto fields(auto&) { return std::tuple<>(); }
};
struct QueueKey {
  static constexpr Tree kTree = Tree::catalog;
  static constexpr std::uint8_t kKind = 2;
  std::uint32_t queue;
  static constexpr auto fields(auto& self) { return std::tie(self.queue); }
};
struct TaskKey {  // value: the task's name
  static constexpr Tree kTree = Tree::catalog;
  static constexpr std::uint8_t kKind = 3;
  std::uint32_t task;
  static constexpr auto fields(auto& self) { return std::tie(self.task); }
};
struct WorkerKey {
  static constexpr Tree kTree = Tree::catalog;
  static constexpr std::uint8_t kKind = 4;
  std::uint64_t worker;
  static constexpr auto fields(auto& self) { return std::tie(self.worker); }
};
// The two that are found by name: kind, then the name itself; value: the number, 4 bytes little-endian.
inline constexpr char kQueueNameKind = 5;
inline constexpr char kTaskNameKind = 6;

// Tree::jobs.
struct JobKey {
  static constexpr Tree kTree = Tree::jobs;
  static constexpr std::uint8_t kKind = 1;
  std::uint64_t job;
  static constexpr auto fields(auto& self) { return std::tie(self.job); }
};

// Tree::index; no values.
struct ReadyKey {  // `ready`: the line, one for each task of a queue
  static constexpr Tree kTree = Tree::index;
  static constexpr std::uint8_t kKind = 1;
  std::uint32_t queue;
  std::uint32_t task;
  std::int32_t rank;  // ~priority: the higher priority sorts first
  std::int64_t due_ms;
  std::uint64_t job;
  static constexpr auto fields(auto& self) { return std::tie(self.queue, self.task, self.rank, self.due_ms, self.job); }
};
struct DueKey {  // `scheduled` and `retrying`
  static constexpr Tree kTree = Tree::index;
  static constexpr std::uint8_t kKind = 2;
  std::int64_t due_ms;
  std::uint64_t job;
  static constexpr auto fields(auto& self) { return std::tie(self.due_ms, self.job); }
};
struct ExpiryKey {  // waits for its first start, and has a deadline for it
  static constexpr Tree kTree = Tree::index;
  static constexpr std::uint8_t kKind = 3;
  std::int64_t expires_ms;
  std::uint64_t job;
  static constexpr auto fields(auto& self) { return std::tie(self.expires_ms, self.job); }
};
struct ActiveKey {  // `running`
  static constexpr Tree kTree = Tree::index;
  static constexpr std::uint8_t kKind = 4;
  std::uint64_t worker;
  std::uint64_t job;
  static constexpr auto fields(auto& self) { return std::tie(self.worker, self.job); }
};
struct FinalKey {  // final, by state
  static constexpr Tree kTree = Tree::index;
  static constexpr std::uint8_t kKind = 5;
  std::uint8_t state;
  std::int64_t finished_ms;
  std::uint64_t job;
  static constexpr auto fields(auto& self) { return std::tie(self.state, self.finished_ms, self.job); }
};
struct KeepKey {  // final, by the end of its retention
  static constexpr Tree kTree = Tree::index;
  static constexpr std::uint8_t kKind = 6;
  std::int64_t keep_until_ms;
  std::uint64_t job;
  static constexpr auto fields(auto& self) { return std::tie(self.keep_until_ms, self.job); }
};
struct SpanKey {  // waits for some length of time (kSpan), by when that began: if not yet, the clock has been set back
  static constexpr Tree kTree = Tree::index;
  static constexpr std::uint8_t kKind = 7;
  std::int64_t since_ms;
  std::uint64_t job;
  static constexpr auto fields(auto& self) { return std::tie(self.since_ms, self.job); }
};

// Tree::events.
struct EventKey {
  static constexpr Tree kTree = Tree::events;
  static constexpr std::uint8_t kKind = 1;
  std::uint64_t seq;
  static constexpr auto fields(auto& self) { return std::tie(self.seq); }
};

// Tree::logs.
struct LogKey {
  static constexpr Tree kTree = Tree::logs;
  static constexpr std::uint8_t kKind = 1;
  std::uint64_t job;
  std::uint64_t seq;
  static constexpr auto fields(auto& self) { return std::tie(self.job, self.seq); }
};

// The index keys, encoded, under which a job with this header stands: at most three.
class IndexKeys {
 public:
  IndexKeys(JobId job, const model::JobHeader& header);
  const store::KeyBytes* begin() const { return keys_.data(); }
  const store::KeyBytes* end() const { return keys_.data() + count_; }

 private:
  template <class Key>
  void add(const Key& key) {
    keys_[count_++] = store::encode_key(key);
  }
  std::array<store::KeyBytes, 3> keys_;
  std::size_t count_ = 0;
};

// Does its deadline to start still count? Not once an attempt has begun; a claim alone is none.
bool may_expire(const model::JobHeader& header);

// When it began to wait, or to do what it now waits after.
std::int64_t waiting_since(const model::JobHeader& header);

// Its place in the line.
ReadyKey ready_key(JobId job, const model::JobHeader& header);

}  // namespace tq::engine
