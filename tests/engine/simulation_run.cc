#include "simulation_run.hpp"

#include "engine/intake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace tq::engine {
namespace {

// So that each step stays cheap, and jobs meet: who comes when there are more sends the oldest away.
constexpr std::size_t kMostJobs = 40;
// So often everything is compared.
constexpr std::size_t kAllEvery = 500;

}  // namespace

Simulation::Simulation(Flaw flaw, Spoil spoil) {
  store_.spoil = std::move(spoil);
  store_.retention = {
      .succeeded = std::chrono::seconds{60}, .failed = std::chrono::seconds{120}, .events = std::chrono::seconds{40}};
  plain_.flaw = flaw;
  plain_.now = store_.clock.now();
  plain_.keep_succeeded = store_.retention.succeeded;
  plain_.keep_failed = store_.retention.failed;
  plain_.keep_events = store_.retention.events;
}

void Simulation::run(const Steps& steps) {
  try {
    while (done_ < steps.size()) {
      const std::size_t before = done_;
      keep_small();
      pass_time(Duration(steps[done_].wait_ms));
      done_ += steps[done_].verb == Verb::together ? run_together(steps, done_) : (run_one(steps, done_), 1);
      compare();
      if (before / kAllEvery != done_ / kAllEvery) compare_all();
    }
    compare_all();
  } catch (const Difference&) {
    throw;
  } catch (const std::exception& error) {
    throw Difference(fmt::format("the engine throws: {}", error.what()));
  }
}

void Simulation::run_one(const Steps& steps, std::size_t at) {
  const Step& step = steps[at];
  if (is_change(step.verb)) {
    const Deed deed = this->deed(step);
    make({&deed, 1});
  } else if (step.verb == Verb::add_by_intake) {
    add_by_intake(Numbers(step));
  } else if (step.verb == Verb::jump) {
    jump(Numbers(step));
  } else if (step.verb == Verb::reopen) {
    reopen();
  } else {
    ask(step);
  }
}

// Returns how many steps that were.
std::size_t Simulation::run_together(const Steps& steps, std::size_t at) {
  const std::size_t most = 2 + Numbers(steps[at]).below(3);
  std::vector<Deed> deeds;
  for (std::size_t i = at + 1; i < steps.size() && deeds.size() < most && is_change(steps[i].verb); ++i) {
    deeds.push_back(deed(steps[i]));
  }
  if (!deeds.empty()) make(deeds);
  return 1 + deeds.size();
}

bool Simulation::is_change(Verb verb) const { return verb != Verb::add_by_intake && (verb < Verb::jump); }

void Simulation::make(std::span<const Deed> deeds) {
  const SimulatedStore::Made made = store_.make(deeds);
  plain_.take_in();
  const JobId first = plain_.next_job;
  JobId next = first;
  for (std::size_t i = 0; i < deeds.size(); ++i) {
    plain_.next_job = next;
    same("the answer", deeds[i].expect(), made.answers[i]);
    next += deeds[i].new_jobs;
  }
  plain_.next_job = first + made.numbers;
}

void Simulation::pass_time(Duration time) {
  store_.clock.advance(time);
  plain_.now = store_.clock.now();
}

// Ten years, or a little, either way; and mostly home again at once: what is years away would otherwise be all there is.
void Simulation::jump(Numbers numbers) {
  const Duration ten_years = std::chrono::hours{24} * 3652;
  const Duration little = Duration(numbers.below(60'000));
  const std::vector<Duration> jumps = {little, -little, ten_years, -ten_years};
  pass_time(numbers.pick(jumps));
  if (numbers.chance(50)) store_.clock.set(test::kStart + Duration(numbers.below(60'000)));
  pass_time(Duration::zero());
}

void Simulation::reopen() {
  store_.reopen();
  // Numbers that were given out to nobody may be given out again.
  plain_.next_job = std::max(plain_.last_job, totals(store_.read()).next_job - 1) + 1;
}

void Simulation::add_by_intake(Numbers numbers) {
  const PlainModel::New job = some_new(numbers);
  const auto record = to_intake(store_.read(), draft(job));
  same("whether it may use the intake", plain_.may_use_intake(job), record.has_value());
  const auto added = record ? store_.environment().add_to_intake(record->record) : store::Environment::Intaken{};
  if (added.number == 0) {
    const Deed deed = add(job);
    return make({&deed, 1});
  }
  same("the job's number", plain_.add_to_intake(job), added.number);
  if (!added.fills_up) return;
  const Deed nothing{0, [](Ledger&) { return ""; }, [] { return ""; }};
  make({&nothing, 1});
}

void Simulation::keep_small() {
  const auto is_final_job = [](const auto& entry) { return is_final(entry.second.state); };
  const auto waits = [](const auto& entry) { return entry.second.state != State::running; };
  while (plain_.jobs.size() > kMostJobs) {
    const auto old = std::find_if(plain_.jobs.begin(), plain_.jobs.end(), is_final_job);
    const auto waiting = std::find_if(plain_.jobs.begin(), plain_.jobs.end(), waits);
    if (waiting == plain_.jobs.end()) return;
    const Deed deed = old != plain_.jobs.end() ? remove(old->first) : cancel(waiting->first, "too many", 15);
    make({&deed, 1});
  }
}

}  // namespace tq::engine
