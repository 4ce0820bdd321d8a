// What stands behind tq::TaskQueue, for this floor and the worker's: the environment, the doorbell, the clock, and the one way
// to change the store.
#pragma once

#include "base/clock.hpp"
#include "base/gathering.hpp"
#include "engine/intake.hpp"
#include "engine/ledger.hpp"
#include "loop/doorbell.hpp"
#include "queue/begun.hpp"
#include "store/environment.hpp"
#include "store/transaction.hpp"

#include <tq/task_queue.hpp>

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

namespace tq {

// Does a change need space that the disk may not have? Those that add jobs do, and are refused early; those that complete or
// remove them must always get through.
enum class Room { needed, spared };

// Thread-safe.
class TaskQueue::Impl {
 public:
  Impl(const std::filesystem::path& path, OpenOptions options);

  const std::filesystem::path path;  // as given
  const OpenOptions options;
  const engine::Retention retention;
  const std::shared_ptr<store::Environment> environment;
  const std::unique_ptr<loop::Doorbell> bell;
  const base::Clock* clock;  // a test may set its own before the first use

  // Takes in what the intake holds and runs `edit(ledger)` in one write transaction, commits, then rings for whom it
  // concerns. What `edit` throws leaves the store as it was. `edit` may add `new_jobs` jobs, under consecutive numbers.
  // Returns what `edit` returned. Durable on return; with Sync::relaxed only with the next commit that is: for what a power
  // cut may undo, because it will be done again. Callers that arrive while another one commits share the next commit,
  // and `edit` may run on the thread of any of them.
  template <class Edit>
  auto change(Room room, std::size_t new_jobs, Edit&& edit, store::Sync sync = store::Sync::full);
  template <class Edit>
  auto change(Room room, Edit&& edit) {
    return change(room, 0, std::forward<Edit>(edit));
  }
  // Takes in what the intake holds. It was acknowledged, and stays there until it is durable here.
  void take_in();

  // The newest state, with all that was acknowledged before in it: takes in what the intake holds.
  store::ReadTransaction read();

  // Adds a job by the intake and returns its id; 0, and nothing is done, if it has to go into a transaction. Durable on
  // return.
  JobId add_to_intake(const model::Draft& draft);

  // What concerns whom: the topics to ring.
  static loop::Topics topics(const engine::Touched& touched);

  // Kills what is left of the commands of a dead worker: first nothing of it runs any more, then its jobs may run again.
  // Not within a transaction. Does nothing if it lives.
  void kill_leftovers(WorkerId worker);
  // Rescues the jobs of a dead worker; `how` says how it died ("was killed by SIGSEGV"), or is empty. Does nothing if it lives,
  // or has been rescued.
  void rescue(engine::Ledger& ledger, WorkerId worker, std::string_view how);
  // What workers note of the jobs that they begin. Opened at the first use.
  Begun& begun();

  // Rescues the jobs of workers that are registered but dead, after killing what is left of their commands. Returns
  // how many workers those were. One read transaction if there are none.
  std::size_t rescue_dead();

 private:
  struct Change {
    Room room;
    std::size_t new_jobs;
    std::function<void(engine::Ledger&)> edit;
    store::Sync sync;
    std::exception_ptr error{};  // of this one alone
  };
  void make(Change change);
  // Throws Damaged.
  void refuse_broken_pages() const;
  void make_all(std::span<Change* const> changes);

  base::Gathering<Change> changes_;

  std::once_flag begun_once_;
  std::unique_ptr<Begun> begun_;
};

template <class Edit>
auto TaskQueue::Impl::change(Room room, std::size_t new_jobs, Edit&& edit, store::Sync sync) {
  using Answer = std::invoke_result_t<Edit, engine::Ledger&>;
  if constexpr (std::is_void_v<Answer>) {
    make({room, new_jobs, [&edit](engine::Ledger& ledger) { edit(ledger); }, sync});
  } else {
    std::optional<Answer> answer;
    make({room, new_jobs, [&](engine::Ledger& ledger) { answer.emplace(edit(ledger)); }, sync});
    return std::move(*answer);
  }
}

}  // namespace tq
