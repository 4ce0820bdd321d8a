// One run of a worker, from its registration to its end: the coordinator on the loop thread. It owns the attempts in hand,
// collects what they report, and has one turn after the other taken while there is something to do.
#pragma once

#include "loop/doorbell.hpp"
#include "loop/event_loop.hpp"
#include "loop/guard.hpp"
#include "loop/timer.hpp"
#include "queue/impl.hpp"
#include "worker/ahead.hpp"
#include "worker/attempt.hpp"
#include "worker/mailbox.hpp"
#include "worker/peers.hpp"
#include "worker/thread_pool.hpp"
#include "worker/turn.hpp"

#include <tq/worker.hpp>

#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tq::worker {

using Handlers = std::map<std::string, std::shared_ptr<const Handler>, std::less<>>;

// Loop thread only, but for claim_no_more().
class Run {
 public:
  Run(TaskQueue::Impl& queue, const WorkerOptions& options, const Handlers& handlers, loop::EventLoop& loop);
  ~Run();
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  WorkerId id() const { return id_; }
  // Runs the loop until there is nothing more to do. Returns the number of attempts. Throws what the store threw.
  std::uint64_t run();
  // Holds at once, also for a turn that is under way; stop() is to follow. Any thread.
  void claim_no_more() { may_not_claim_ = true; }
  // See Worker::stop.
  void stop(bool now);

 private:
  void join_store();
  void leave_store();
  void run_loop();
  void start_guard();
  void guard_died();
  void rung();
  void look_for_news_of_workers();
  void look_for_cancels();
  void attempt_ended(JobId id, engine::Outcome outcome, bool crashed);
  void handlers_ended();
  void take_reports();
  void has_news();
  void start(engine::Claimed claimed);
  void start_ahead();
  void claim_ahead(engine::Claimed claimed);
  void start_arrived();
  void watch_ahead();
  void give_back(const engine::Claimed& claimed);
  bool withdraw(Attempt& attempt);
  void give_back_ahead();
  std::unique_ptr<Attempt> make_attempt(engine::Claimed claimed);
  void consider_turn();
  void decide_on_turn();
  TurnInput gather();
  void gather_news(TurnInput& input);
  std::size_t free_slots() const;
  std::size_t wanted_ahead() const;
  bool turn_may_wait() const;
  void turn_done(TurnOutput output);
  void set_wake_up(std::optional<Time> next_due, std::optional<Time> next_keep);
  bool is_finished() const;
  void interrupt_all();
  void fail_with(std::exception_ptr error);
  loop::Topics topics() const;

  TaskQueue::Impl& queue_;
  const WorkerOptions& options_;
  const Handlers& handlers_;
  loop::EventLoop& loop_;
  const std::shared_ptr<Mailbox> mailbox_;

  // What it is in the store.
  WorkerId id_ = 0;
  model::WorkerRecord record_;
  base::Fd lock_;                // it lives while this is open here or in the guard
  bool may_note_begun_ = false;  // so that a crash can tell what had begun of what was claimed ahead

  std::unique_ptr<loop::Guard> guard_;
  bool guard_is_lost_ = false;  // somebody killed it, and there is no new one yet
  ThreadPool pool_;
  std::map<JobId, std::unique_ptr<Attempt>> attempts_;  // those that wait in the pool, too
  std::size_t commands_ = 0;                            // of those
  bool takes_reports_ = false;                          // of several at once
  std::uint64_t begun_seen_ = 0;                        // of the pool's, when it was looked at last
  std::uint32_t worker_rings_ = 0;                      // of the bell's, when cancels and peers were looked for last
  std::uint32_t rings_before_claim_ = 0;                // and when the last turn that claims was started
  Ahead ahead_;

  std::vector<engine::Claimed> arrived_;  // with the last turn, and not begun yet

  // For the next turn.
  std::vector<Begin> begun_;
  std::vector<Ended> ended_;
  std::vector<OutputPart> last_output_;  // of what has ended
  std::vector<ProgressPart> last_progress_;
  std::map<WorkerId, std::string> dead_;
  bool may_claim_ = true;        // there may be work: somebody rang, or the last claim was not the end of it
  bool is_due_ = true;           // something is to be fired or removed
  bool news_wait_ = false;       // there is output or progress, and the timer runs
  bool news_are_due_ = false;    // they have waited long enough
  bool record_changed_ = false;  // its own record is to be written
  bool turn_under_way_ = false;
  bool turn_waits_ = false;    // for more to end, while there is work ahead
  bool turn_is_late_ = false;  // it has waited long enough

  std::uint64_t attempts_started_ = 0;
  std::atomic<bool> may_not_claim_ = false;
  bool stopping_ = false;
  std::exception_ptr error_;

  // Last, so that they end first: they call back.
  loop::Timer news_timer_;
  loop::Timer turn_timer_;
  loop::Timer ahead_timer_;
  loop::Timer grace_timer_;
  loop::WallTimer wake_up_;
  Peers peers_;
  std::unique_ptr<TurnThread> turns_;
  std::unique_ptr<loop::BellThread> bell_;
};

}  // namespace tq::worker
