#include "worker/peers.hpp"

#include "engine/workers.hpp"

#include <set>
#include <unistd.h>

namespace tq::worker {

Peers::Peers(loop::EventLoop& loop, TaskQueue::Impl& queue, std::function<void(WorkerId, std::string)> dead)
    : loop_(loop), queue_(queue), dead_(std::move(dead)) {}

void Peers::refresh(WorkerId self) {
  const auto known = engine::known_workers(queue_.environment->read());
  std::set<WorkerId> registered;
  for (const engine::KnownWorker& worker : known) {
    if (worker.id == self) continue;
    registered.insert(worker.id);
    watch(worker.id, worker.record);
    look(worker.id);
  }
  std::erase_if(peers_, [&](const auto& peer) { return !registered.contains(peer.first); });
}

void Peers::watch(WorkerId id, const model::WorkerRecord& record) {
  Peer& peer = peers_[id];
  const auto look_again = [this, id] { look(id); };
  // A worker of this process cannot die without it.
  const bool is_own_process = record.pid == ::getpid();
  if (!peer.process && !is_own_process) {
    peer.process = std::make_unique<loop::DeathWatch>(loop_, record.pid, record.pid_started, look_again);
  }
  if (record.guard_pid != peer.guard_pid) {
    peer.guard_pid = record.guard_pid;
    peer.guard = std::make_unique<loop::DeathWatch>(loop_, record.guard_pid, loop::process_started(record.guard_pid),
                                                    look_again);
  }
}

void Peers::look(WorkerId id) {
  if (queue_.environment->locks().worker_alive(id)) return;
  const Peer& peer = peers_[id];
  dead_(id, peer.process ? peer.process->how() : std::string());
}

}  // namespace tq::worker
