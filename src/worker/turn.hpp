// The turn: everything that a worker does to the store in steady state, as one transaction, on a thread of its own, so that
// commands and handlers go on while it waits for the disk.
//
//   what has begun -> output -> apply what has ended -> rescue the dead -> fire what is due -> claim up to the free slots
#pragma once

#include "engine/claim.hpp"
#include "engine/finish.hpp"
#include "engine/output.hpp"
#include "queue/impl.hpp"

#include <condition_variable>
#include <exception>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace tq::worker {

// Output of one attempt since the last turn. Of what came after the head of its log was full, `skipped_bytes` are gone.
struct OutputPart {
  engine::RunKey key;
  std::vector<engine::Piece> head;
  std::uint64_t skipped_bytes = 0;
  std::vector<engine::Piece> tail;
};

struct ProgressPart {
  engine::RunKey key;
  double fraction = 0;
  std::string text;
};

// A job that had been claimed ahead, and has begun.
struct Begin {
  engine::RunKey key;
  Time time{};
};

struct Ended {
  engine::RunKey key;
  engine::Outcome outcome;
  bool crashed = false;  // the guard died with it: counts as a crash, whatever the outcome says
};

struct TurnInput {
  std::vector<Begin> begun;
  std::vector<OutputPart> output;
  std::vector<ProgressPart> progress;
  std::vector<Ended> ended;
  std::map<WorkerId, std::string> dead;  // and how they died, if that is known
  engine::ClaimRequest claim;            // limits 0: none
  bool fail_unknown_tasks = false;
  std::optional<model::WorkerRecord> update;  // of the worker itself
};

struct TurnOutput {
  std::vector<engine::Claimed> claimed;
  bool may_be_more = false;       // to be claimed
  std::vector<JobId> late;        // ended, but their claim was not valid any more
  std::optional<Time> next_due;   // when there is something to fire
  std::optional<Time> next_keep;  // when there is something to remove
  bool more_due = false;          // at once
  std::exception_ptr error;       // the store failed: nothing of this turn happened
};

// One turn on the calling thread. What the store throws is in the output.
TurnOutput try_turn(TaskQueue::Impl& queue, WorkerId worker, std::uint32_t max_crashes, TurnInput input);
// The same, but it throws.
TurnOutput take_turn(TaskQueue::Impl& queue, WorkerId worker, std::uint32_t max_crashes, TurnInput input);

// Takes one turn at a time on its own thread. `done` is called there with each output.
class TurnThread {
 public:
  TurnThread(TaskQueue::Impl& queue, WorkerId worker, std::uint32_t max_crashes, std::function<void(TurnOutput)> done);
  // Finishes the turn under way.
  ~TurnThread();
  TurnThread(const TurnThread&) = delete;
  TurnThread& operator=(const TurnThread&) = delete;

  // Not while a turn is under way.
  void start(TurnInput input);

 private:
  void serve(const std::function<void(TurnInput)>& take);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::optional<TurnInput> input_;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace tq::worker
