// A worker by hand: claims and ends attempts one by one, in the thread of the test.
#pragma once

#include "engine/claim.hpp"
#include "engine/finish.hpp"
#include "engine/output.hpp"
#include "engine/workers.hpp"
#include "loop/watch.hpp"
#include "queue/impl.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tq::test {

class Hand {
 public:
  // Can do the task "work" and commands.
  explicit Hand(TaskQueue& queue, std::uint32_t max_crashes = 3) : queue_(queue.impl()) {
    model::WorkerRecord record;
    record.pid = ::getpid();
    record.pid_started = loop::process_started(record.pid);
    record.concurrency = 1000;
    record.max_crashes = max_crashes;
    record.tasks = {"work", std::string(kExecTask)};
    queue_.change(Room::spared, [&](engine::Ledger& ledger) {
      id_ = engine::register_worker(ledger, record);
      lock_ = queue_.environment->locks().hold_worker(id_);
    });
  }
  ~Hand() {
    if (!lock_) return;
    queue_.change(Room::spared, [&](engine::Ledger& ledger) { engine::unregister_worker(ledger, id_); });
  }
  Hand(const Hand&) = delete;
  Hand& operator=(const Hand&) = delete;

  WorkerId id() const { return id_; }
  // As the kernel does when its process is killed.
  void die() { lock_.reset(); }

  // The next job, or nothing.
  std::optional<engine::Claimed> try_claim() {
    engine::ClaimRequest request;
    request.worker = id_;
    request.tasks = {"work", std::string(kExecTask)};
    auto claimed = queue_.change(Room::spared, [&](engine::Ledger& ledger) { return engine::claim(ledger, request); });
    if (claimed.empty()) return std::nullopt;
    return std::move(claimed.front());
  }
  engine::Claimed claim() {
    auto claimed = try_claim();
    BOOST_REQUIRE(claimed);
    return std::move(*claimed);
  }
  void finish(const engine::Claimed& claimed, engine::Outcome outcome) {
    const bool was_held = queue_.change(
        Room::spared, [&](engine::Ledger& ledger) { return engine::finish(ledger, key(claimed), std::move(outcome)); });
    BOOST_TEST(was_held);
  }
  void succeed(const engine::Claimed& claimed, std::string bytes = {}) {
    engine::Outcome outcome;
    outcome.result.bytes = std::move(bytes);
    finish(claimed, std::move(outcome));
  }
  void fail(const engine::Claimed& claimed, std::string error = "boom", bool for_good = true) {
    finish(claimed, {.kind = engine::Outcome::Kind::failed, .error = std::move(error), .for_good = for_good});
  }
  void write(const engine::Claimed& claimed, const std::string& bytes) {
    queue_.change(Room::spared, [&](engine::Ledger& ledger) {
      engine::append_output(ledger, key(claimed), {{ledger.now(), Stream::out, bytes}}, 0,
                            queue_.options.log_bytes_per_job);
    });
  }
  void save(const engine::Claimed& claimed, std::string bytes) {
    store::PreparedBlob blob(*queue_.environment, std::move(bytes));
    queue_.change(Room::spared,
                  [&](engine::Ledger& ledger) { engine::save_state(ledger, key(claimed), std::move(blob)); });
  }

 private:
  engine::RunKey key(const engine::Claimed& claimed) const { return {claimed.id, claimed.record.header.run, id_}; }

  TaskQueue::Impl& queue_;
  WorkerId id_ = 0;
  base::Fd lock_;
};

}  // namespace tq::test
