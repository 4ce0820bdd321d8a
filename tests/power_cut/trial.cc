#include "power_cut/trial.hpp"

#include "engine/claim.hpp"
#include "engine/finish.hpp"
#include "engine/workers.hpp"
#include "queue/impl.hpp"

#include <stdexcept>

namespace tq::test::power_cut {
namespace {

constexpr const char* kAfter = "after";  // queue and task of what is added to a state

void check(const TaskQueue& queue, Verdict& verdict) {
  for (std::string& problem : queue.check(true).problems) verdict.broken.push_back("check: " + std::move(problem));
}

// As a worker does, in one transaction.
void run_one(TaskQueue& queue, JobId id) {
  const JobId done = queue.impl().change(Room::spared, [](engine::Ledger& ledger) {
    const WorkerId worker = engine::register_worker(ledger, {.pid = 1, .concurrency = 1, .max_crashes = 3});
    const auto claimed = engine::claim(ledger, {.worker = worker, .queues = {kAfter}, .tasks = {kAfter}});
    if (claimed.empty()) return JobId{0};
    const engine::Claimed& job = claimed.front();
    engine::finish(ledger, {job.id, job.record.header.run, worker},
                   {.result = job.record.payload.empty() ? Payload{} : Payload{"raw", job.record.payload}});
    engine::unregister_worker(ledger, worker);
    return job.id;
  });
  if (done != id) throw std::runtime_error("a job that was added is not the one that is claimed");
  if (queue.get(id)->state != State::succeeded) throw std::runtime_error("a job that was run has not succeeded");
}

// The first makes the queue, in a transaction; the second goes through the intake.
void write_to(TaskQueue& queue) {
  const EnqueueOptions options{.queue = kAfter};
  const JobId first = queue.enqueue(kAfter, {"raw", "first"}, options);
  const JobId second = queue.enqueue(kAfter, {"raw", "second"}, options);
  if (second <= first) throw std::runtime_error("a number was given out twice");
  if (queue.payload(first)->bytes != "first" || queue.payload(second)->bytes != "second") {
    throw std::runtime_error("a job that was added has another payload");
  }
  run_one(queue, first);
}

}  // namespace

Verdict try_out(const std::string& store, const Ledger& ledger, bool thorough) {
  Verdict verdict;
  try {
    const OpenOptions options{.create = !ledger.owes()};
    {
      TaskQueue queue(store, options);
      Complaints complaints = ledger.compare(queue);
      verdict.lost = std::move(complaints.lost);
      verdict.wrong = std::move(complaints.wrong);
      queue.collect();  // side files that no record names yet, or any more
      check(queue, verdict);
      write_to(queue);
      if (thorough) queue.enqueue(kAfter, {"raw", std::string(66'000, 'x')}, {.queue = kAfter});
    }
    if (!thorough) return verdict;
    const TaskQueue again(store, {.create = false});
    if (again.queue(kAfter)->waiting() != 2) throw std::runtime_error("what was added is not there any more");
    check(again, verdict);
  } catch (const std::exception& error) {
    verdict.broken.push_back(error.what());
  }
  return verdict;
}

}  // namespace tq::test::power_cut
