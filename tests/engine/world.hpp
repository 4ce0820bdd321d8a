// One store, in memory unless it is given a path, a clock that the test holds, and each verb of the engine as a transaction of
// its own. When the test ends its store goes through check().
#pragma once

#include "engine/check.hpp"
#include "engine/claim.hpp"
#include "engine/due.hpp"
#include "engine/enqueue.hpp"
#include "engine/finish.hpp"
#include "engine/output.hpp"
#include "engine/query.hpp"
#include "engine/steer.hpp"
#include "engine/workers.hpp"
#include "store/environment.hpp"
#include "store/transaction.hpp"
#include "support/fake_clock.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace tq {
// How Boost.Test prints them.
std::ostream& boost_test_print_type(std::ostream& out, State state);
std::ostream& boost_test_print_type(std::ostream& out, EventType type);
std::ostream& boost_test_print_type(std::ostream& out, CancelOutcome outcome);
}  // namespace tq

namespace tq::engine {

using namespace std::chrono_literals;
using test::kStart;

// The ends of an attempt, as a pool would report them.
Outcome succeeded(std::string bytes = {}, std::string codec = "raw");
Outcome failed(std::string error = "boom");
Outcome failed_for_good(std::string error = "boom");
Outcome snoozed(std::optional<Duration> delay = {});
Outcome cancelled(std::string reason = {});
Outcome interrupted();

// Numbers in a row, to be compared as one text: "3 1 2".
std::string ids(const std::vector<JobId>& jobs);
std::string ids(const std::vector<Claimed>& jobs);
std::string ids(const std::vector<JobInfo>& jobs);
// The types of events in a row: "enqueued started succeeded".
std::string types(const std::vector<Event>& events);
// The codes of reasons in a row.
std::string codes(const std::vector<Reason>& reasons);

class World {
 public:
  // Of the store at `path`, which is made if there is none.
  explicit World(const std::filesystem::path& path = ":memory:");
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  test::FakeClock clock;
  Retention retention;
  const std::shared_ptr<store::Environment> environment;
  Touched touched;       // by the last change
  bool changed = false;  // something, by the last change

  // Runs `edit(ledger)` in one transaction. What it throws leaves the store as it was.
  template <class Edit>
  auto change(Edit&& edit);
  store::ReadTransaction read() const { return environment->read(); }

  // --- producers ---
  NewJob make(const EnqueueOptions& options = {}, std::string_view task = "work", std::string payload = {}) const;
  JobId add(const EnqueueOptions& options = {}, std::string_view task = "work", std::string payload = {});
  // So many alike; the id of the first.
  JobId add_many(std::size_t count, const EnqueueOptions& options = {}, std::string_view task = "work");

  // --- workers ---
  WorkerId worker(std::uint32_t max_crashes = 3);
  WorkerId worker(const model::WorkerRecord& record);
  std::vector<Claimed> claim(const ClaimRequest& request);
  // Of the task "work".
  std::vector<Claimed> claim(WorkerId worker, std::size_t limit = 1, std::vector<std::string> queues = {});
  // The one job that there is to claim.
  Claimed claim_one(WorkerId worker);
  // Adds a job and claims it.
  Claimed start(WorkerId worker, const EnqueueOptions& options = {}, std::string payload = {});
  static RunKey key(const Claimed& claimed) {
    return {claimed.id, claimed.record.header.run, claimed.record.header.worker};
  }
  bool finish(const Claimed& claimed, Outcome outcome);
  // `begun`: of the jobs that it had claimed ahead.
  std::size_t rescue(WorkerId worker, std::string_view cause = "it died", const std::vector<JobId>& begun = {});
  bool write(const Claimed& claimed, std::string_view bytes, std::uint64_t limit = 1 << 20, std::uint64_t skipped = 0);

  // --- time ---
  std::size_t fire_due(std::size_t limit = 1000);
  Collected collect(std::size_t limit = 1000);

  // --- steering ---
  CancelOutcome cancel(JobId id, std::string_view reason = {}, int signal = 15);
  void retry(JobId id);
  void remove(JobId id);
  void set(JobId id, const JobChange& change);
  void pause(std::string_view queue);
  void resume(std::string_view queue);
  void configure(std::string_view queue, const QueueSettings& settings);

  // --- looking ---
  // The job, which has to be there.
  JobInfo info(JobId id) const;
  State state(JobId id) const { return info(id).state; }
  model::JobHeader header(JobId id) const;
  bool exists(JobId id) const;
  std::optional<Result> result(JobId id) const;
  std::string payload(JobId id) const;
  std::vector<JobInfo> list(const JobFilter& filter = {}) const;
  std::vector<Event> events(const EventFilter& filter = {}) const;
  // The types of a job's events in a row.
  std::string history(JobId id) const;
  QueueInfo queue(std::string_view name = kDefaultQueue) const;
  Stats stats() const;
  std::vector<LogChunk> output(JobId id, std::uint64_t after = 0, std::size_t max_bytes = 1 << 20) const;
  // Of a store whose workers live unless they are named.
  std::string why(JobId id, const std::vector<WorkerId>& dead = {}) const;

 private:
  void finish_change(store::WriteTransaction& txn, Ledger& ledger);
};

template <class Edit>
auto World::change(Edit&& edit) {
  store::WriteTransaction txn = environment->write();
  Ledger ledger(txn, clock.now(), retention);
  if constexpr (std::is_void_v<std::invoke_result_t<Edit, Ledger&>>) {
    edit(ledger);
    finish_change(txn, ledger);
  } else {
    auto answer = edit(ledger);
    finish_change(txn, ledger);
    return answer;
  }
}

}  // namespace tq::engine
