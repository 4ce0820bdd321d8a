#include "worker/peers.hpp"

#include "engine/workers.hpp"

#include <algorithm>
#include <set>
#include <unistd.h>

namespace tq::worker {
namespace {

constexpr Duration kFirstLook{5};
constexpr Duration kLongestWait{1000};

}  // namespace

Peers::Peers(loop::EventLoop& loop, TaskQueue::Impl& queue, std::function<void(WorkerId, std::string)> dead)
    : loop_(loop), queue_(queue), dead_(std::move(dead)), look_again_(loop, [this] { look_at_the_dying(); }) {}

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

bool Peers::has_dying() const {
  return std::any_of(peers_.begin(), peers_.end(), [](const auto& entry) {
    const Peer& peer = entry.second;
    return peer.is_dying || (peer.process && peer.process->has_ended());
  });
}

void Peers::watch(WorkerId id, const model::WorkerRecord& record) {
  Peer& peer = peers_[id];
  // A worker of this process cannot die without it.
  const bool is_own_process = record.pid == ::getpid();
  if (!peer.process && !is_own_process) {
    peer.process = std::make_unique<loop::DeathWatch>(loop_, record.pid, record.pid_started, [this, id] {
      peers_[id].is_dying = true;
      look_after_ = kFirstLook;
      look(id);
    });
  }
  if (record.guard_pid != peer.guard_pid) {
    peer.guard_pid = record.guard_pid;
    peer.guard = std::make_unique<loop::DeathWatch>(loop_, record.guard_pid, loop::process_started(record.guard_pid),
                                                    [this, id] { look(id); });
  }
}

void Peers::look(WorkerId id) {
  Peer& peer = peers_[id];
  const bool has_lock = queue_.environment->locks().worker_alive(id);
  if (!has_lock && (peer.is_dying || !peer.process)) {
    dead_(id, peer.process ? peer.process->how() : std::string());
  } else if (!has_lock) {
    expect_end(peer);
  } else if (peer.is_dying) {
    look_again_.start(look_after_);
  }
}

void Peers::expect_end(Peer& peer) {
  peer.is_dying = true;
  look_after_ = kFirstLook;
  look_again_.start(look_after_);
}

void Peers::look_at_the_dying() {
  look_after_ = std::min(look_after_ * 2, kLongestWait);
  for (const auto& [id, peer] : peers_) {
    if (peer.is_dying) look(id);
  }
}

}  // namespace tq::worker
