// The store of a simulation: a file, in memory where there is a place for files, with an intake and side files. Changed the way
// that TaskQueue changes it.
#pragma once

#include "engine/ledger.hpp"
#include "engine/query.hpp"
#include "store/environment.hpp"
#include "store/transaction.hpp"
#include "support/fake_clock.hpp"
#include "support/temp_dir.hpp"

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tq::engine {

// What one step does to the store, and to the plain model. Both say what came of it in words, which have to be the same.
struct Deed {
  std::size_t new_jobs = 0;  // that it may add
  std::function<std::string(Ledger&)> edit;
  std::function<std::string()> expect;
};

// What a deed answers when it is refused.
inline constexpr const char* kRefused = "refused";

// One thread at a time.
class SimulatedStore {
 public:
  SimulatedStore();

  test::FakeClock clock;
  Retention retention;
  // Called in every transaction before it is committed: what spoils the store on purpose.
  std::function<void(Ledger&)> spoil;

  store::Environment& environment() { return *environment_; }
  store::ReadTransaction read() { return environment_->read(); }

  // Makes the deeds in one transaction; one that is refused takes nothing of the others with it.
  struct Made {
    std::vector<std::string> answers;
    std::size_t numbers = 0;  // that are gone, whether a job has got them or not
  };
  Made make(std::span<const Deed> deeds);
  // Closes it and opens it again.
  void reopen();

 private:
  // False: there was nothing to commit.
  bool commit(store::WriteTransaction& txn, Ledger& ledger);
  std::string make_alone(const Deed& deed, std::size_t& numbers);

  const test::TempDir dir_;
  std::shared_ptr<store::Environment> environment_;
};

}  // namespace tq::engine
