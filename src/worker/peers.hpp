// The other workers of the store, watched so that their death is seen at once: one pidfd for each process and one for each
// guard. The kernel's word that a worker is dead is its lock, which its guard holds too until nothing of it runs any more, and
// after the death of both what they started, for a moment: so whose process has ended is looked at until its lock is free.
// The other way round, a process gives up its lock a moment before it can be asked how it ended.
#pragma once

#include "loop/timer.hpp"
#include "loop/watch.hpp"
#include "queue/impl.hpp"

#include <functional>
#include <map>
#include <memory>

namespace tq::worker {

// Loop thread only.
class Peers {
 public:
  // `dead` is called with each worker that is registered but dead, perhaps more than once, and with what is known of its death
  // ("was killed by SIGSEGV"), or "".
  Peers(loop::EventLoop& loop, TaskQueue::Impl& queue, std::function<void(WorkerId, std::string)> dead);

  // Looks who is registered but `self`, watches who is new, forgets who is gone.
  void refresh(WorkerId self);

  // Is there a worker whose process has ended, and which is still registered? What it had in hand is to be rescued soon.
  bool has_dying() const;

 private:
  struct Peer {
    std::unique_ptr<loop::DeathWatch> process;
    std::unique_ptr<loop::DeathWatch> guard;
    std::int64_t guard_pid = 0;
    bool is_dying = false;  // its process has ended, or its lock is free
  };

  void watch(WorkerId id, const model::WorkerRecord& record);
  void look(WorkerId id);
  void expect_end(Peer& peer);
  void look_at_the_dying();

  loop::EventLoop& loop_;
  TaskQueue::Impl& queue_;
  const std::function<void(WorkerId, std::string)> dead_;
  std::map<WorkerId, Peer> peers_;
  loop::Timer look_again_;
  Duration look_after_{0};
};

}  // namespace tq::worker
