// What a store owes: built up from the notes of those who used it, held against what it shows after a power cut.
#pragma once

#include "power_cut/content.hpp"

#include <tq/task_queue.hpp>

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tq::test::power_cut {

struct Complaints {
  std::vector<std::string> lost;   // was acknowledged, and is not there
  std::vector<std::string> wrong;  // is there, and nobody did it, or not so
};

// One thread at a time.
class Ledger {
 public:
  // What was said, in its order (note.hpp).
  void note(std::string_view words);

  // Was anything acknowledged, so that there must be a store?
  bool owes() const { return owes_; }
  Complaints compare(const TaskQueue& queue) const;

 private:
  enum class Presence { there, perhaps, gone };
  struct Job {
    std::string token;  // empty as long as its id is known from elsewhere only
    Presence presence = Presence::perhaps;
    std::optional<State> state;   // it must have
    bool is_called_back = false;  // a retry was acknowledged, and no cancel tried since
    bool was_cancelled = false;   // or it was tried
    bool is_being_removed = false;
    bool has_run = false;
    bool has_saved = false;
    std::set<std::int32_t> priorities;  // one of these; none: any
  };
  struct Expected {
    std::string payload;
    std::string result;
  };
  using Known = std::map<std::string, JobId>;  // tokens of what the store shows

  void note_try(std::string_view words);
  void note_add(JobId id, const std::string& token);
  void note_purged();
  const Expected& expected(const std::string& token) const;

  void compare_job(const TaskQueue& queue, const JobInfo& info, Complaints& complaints) const;
  void compare_end(const TaskQueue& queue, const JobInfo& info, const Job* job, Complaints& complaints) const;
  void compare_debts(const TaskQueue& queue, const JobInfo& info, const Job& job, Complaints& complaints) const;
  void compare_queue(const TaskQueue& queue, Complaints& complaints) const;

  bool owes_ = false;
  std::set<std::string> tried_;  // tokens
  std::map<JobId, Job> jobs_;
  std::set<JobId> purging_;         // are gone if the purge is acknowledged
  std::set<std::uint64_t> paused_;  // of the parked queue: one of these; none: any
  std::set<std::uint64_t> limits_;
  bool purges_ = false;
  std::set<std::string> said_;    // tokens whose addition was acknowledged
  std::set<std::string> unsaid_;  // was not when a purge was: whether it has been added and purged, nobody knows
  mutable std::map<std::string, Expected> expected_;
};

}  // namespace tq::test::power_cut
