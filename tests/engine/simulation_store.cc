#include "simulation_store.hpp"

#include "engine/intake.hpp"

namespace tq::engine {
namespace {

// What an edit says, or that it was refused.
std::string answer_of(const std::function<void()>& edit, const std::string& answer) {
  try {
    edit();
    return answer;
  } catch (const NotFound&) {
  } catch (const Conflict&) {
  } catch (const QueueFull&) {
  }
  return kRefused;
}

}  // namespace

SimulatedStore::SimulatedStore() { reopen(); }

void SimulatedStore::reopen() {
  environment_.reset();
  environment_ = store::Environment::open(dir_ / "jobs.tq", {});
  environment_->raise_intake(totals(environment_->read()).next_job);
}

bool SimulatedStore::commit(store::WriteTransaction& txn, Ledger& ledger) {
  if (!ledger.changed()) return false;
  if (spoil) spoil(ledger);
  ledger.close();
  txn.commit();
  return true;
}

// What throws is not committed, nor is what was taken in before it.
std::string SimulatedStore::make_alone(const Deed& deed, std::size_t& numbers) {
  store::WriteTransaction txn = environment_->write();
  Ledger ledger(txn, clock.now(), retention);
  take_in(ledger, deed.new_jobs);
  std::string answer;
  const auto edit = [&] {
    answer = deed.edit(ledger);
    if (commit(txn, ledger)) numbers = deed.new_jobs;
  };
  return answer_of(edit, answer);
}

SimulatedStore::Made SimulatedStore::make(std::span<const Deed> deeds) {
  Made made;
  if (deeds.size() == 1) {
    made.answers.push_back(make_alone(deeds[0], made.numbers));
    if (!environment_->intake_is_pending()) return made;
    deeds = {};
  }
  store::WriteTransaction txn = environment_->write();
  Ledger ledger(txn, clock.now(), retention);
  std::size_t new_jobs = 0;
  for (const Deed& deed : deeds) new_jobs += deed.new_jobs;
  take_in(ledger, new_jobs);
  JobId next = ledger.totals().next_job;
  for (const Deed& deed : deeds) {
    if (deed.new_jobs != 0) ledger.totals().next_job = next;
    next += deed.new_jobs;
    std::string answer;
    const auto edit = [&] { answer = deed.edit(ledger); };
    made.answers.push_back(answer_of([&] { ledger.attempt(edit); }, answer));
  }
  if (commit(txn, ledger)) made.numbers = new_jobs;
  return made;
}

}  // namespace tq::engine
