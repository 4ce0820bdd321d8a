#include "queue/begun.hpp"

#include <atomic>

namespace tq {

struct Begun::Place {
  std::atomic<std::uint64_t> worker;
  std::uint64_t unused;
  std::atomic<std::uint64_t> jobs[kMost];
};

namespace {

constexpr std::size_t kPlaces = 256;
constexpr std::size_t kBytes = kPlaces * sizeof(Begun::Place);
static_assert(sizeof(Begun::Place) == 1024);

}  // namespace

Begun::Begun(const std::string& path) : map_(path, kBytes), places_(static_cast<Place*>(map_.get())) {}
Begun::~Begun() = default;

Begun::Place& Begun::place(WorkerId worker) const { return places_[worker % kPlaces]; }

WorkerId Begun::owner(WorkerId worker) const { return place(worker).worker; }

void Begun::take_place(WorkerId worker) {
  Place& mine = place(worker);
  mine.worker = worker;
  for (auto& job : mine.jobs) job = 0;
}

void Begun::mark(WorkerId worker, JobId job) {
  Place& mine = place(worker);
  if (mine.worker != worker) return;
  for (auto& entry : mine.jobs) {
    std::uint64_t none = 0;
    if (entry.load() == none && entry.compare_exchange_strong(none, job)) return;
  }
}

void Begun::unmark(WorkerId worker, JobId job) {
  Place& mine = place(worker);
  if (mine.worker != worker) return;
  for (auto& entry : mine.jobs) {
    std::uint64_t it = job;
    if (entry.load() == it && entry.compare_exchange_strong(it, 0)) return;
  }
}

bool Begun::has_begun(WorkerId worker, JobId job) const {
  const Place& its = place(worker);
  if (its.worker != worker) return true;
  for (const auto& begun : its.jobs) {
    if (begun == job) return true;
  }
  return false;
}

}  // namespace tq
