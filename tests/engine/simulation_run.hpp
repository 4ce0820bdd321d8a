// A simulation: steps are done to a store and to the plain model, and after each the two are held against each other.
#pragma once

#include "plain_model.hpp"
#include "simulation_step.hpp"
#include "simulation_store.hpp"

#include <fmt/format.h>

#include <map>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace tq::engine {

// The engine did not do what the model did.
class Difference : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// One thread at a time.
class Simulation {
 public:
  using Spoil = std::function<void(Ledger&)>;
  explicit Simulation(Flaw flaw = Flaw::none, Spoil spoil = {});

  // Throws Difference, and `done()` steps came before it.
  void run(const Steps& steps);
  std::size_t done() const { return done_; }
  const PlainModel& model() const { return plain_; }

 private:
  // --- simulation_run.cc ---
  void run_one(const Steps& steps, std::size_t at);
  std::size_t run_together(const Steps& steps, std::size_t at);
  void make(std::span<const Deed> deeds);
  void pass_time(Duration time);
  void jump(Numbers numbers);
  void reopen();
  void add_by_intake(Numbers numbers);
  void keep_small();
  bool is_change(Verb verb) const;

  // --- simulation_deeds.cc: what a step means ---
  Deed deed(const Step& step);
  Deed add(Numbers numbers);
  Deed add_many(Numbers numbers);
  Deed come(Numbers numbers);
  Deed claim(Numbers numbers);
  Deed begin(Numbers numbers);
  Deed finish(Numbers numbers);
  Deed report(Numbers numbers);
  Deed save(Numbers numbers);
  Deed write(Numbers numbers);
  Deed crash(Numbers numbers);
  Deed tell(Numbers numbers);
  Deed leave(Numbers numbers);
  Deed die(Numbers numbers);
  Deed cancel(Numbers numbers);
  Deed cancel(JobId id, const std::string& reason, int signal);
  Deed retry(Numbers numbers);
  Deed remove(Numbers numbers);
  Deed remove(JobId id);
  Deed change(Numbers numbers);
  Deed pause(Numbers numbers);
  Deed resume(Numbers numbers);
  Deed configure(Numbers numbers);
  Deed purge(Numbers numbers);
  Deed purge_dead(Numbers numbers);
  Deed fire_due(Numbers numbers);
  Deed collect(Numbers numbers);
  Deed add(const PlainModel::New& job);

  // --- simulation_choices.cc: numbers made into what there is ---
  PlainModel::New some_new(Numbers& numbers);
  PlainModel::End some_end(Numbers& numbers);
  model::Draft draft(const PlainModel::New& job);
  JobId some_job(Numbers& numbers);
  RunKey some_claim(Numbers& numbers);
  WorkerId some_worker(Numbers& numbers);

  // --- simulation_questions.cc ---
  void ask(const Step& step);
  void look(Numbers numbers);
  void list(Numbers numbers);
  void events(Numbers numbers);
  void why(Numbers numbers);
  void output(Numbers numbers);

  // --- simulation_compare.cc ---
  void compare();
  void compare_all();
  void compare_events(const store::ReadTransaction& txn);
  void compare_counters(const store::ReadTransaction& txn);
  void compare_workers(const store::ReadTransaction& txn);
  void compare_job(const store::ReadTransaction& txn, JobId id);
  void compare_index(const store::ReadTransaction& txn, JobId id);
  std::vector<std::string> index_keys(const store::ReadTransaction& txn, const PlainModel::Job& job) const;

  SimulatedStore store_;
  PlainModel plain_;
  std::size_t done_ = 0;
  std::vector<RunKey> claims_;                       // the last few, most of which do not hold any more
  std::set<JobId> touched_;                          // to be compared after this step
  std::map<JobId, std::vector<std::string>> index_;  // under which keys each job stood when it was compared last
  EventSeq compared_ = 0;
};

// What there is to choose from.
extern const std::vector<std::string> kQueues;
extern const std::vector<std::string> kTasks;
extern const std::vector<std::string> kLabels;
extern const std::vector<State> kStates;
// Of output, of each job.
inline constexpr std::uint64_t kOutputBytes = 9000;

// Throws Difference unless both are the same. Words are made only then.
template <class Expected, class Found>
void same(const char* what, const Expected& expected, const Found& found) {
  if (expected == found) return;
  if constexpr (requires { fmt::format("{}{}", expected, found); }) {
    throw Difference(fmt::format("{} is '{}' and should be '{}'", what, found, expected));
  } else {
    throw Difference(fmt::format("{} is wrong", what));
  }
}

}  // namespace tq::engine
