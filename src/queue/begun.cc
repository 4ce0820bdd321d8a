#include "queue/begun.hpp"

#include "base/fail.hpp"
#include "base/fd.hpp"

#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tq {

struct Begun::Place {
  std::atomic<std::uint64_t> worker;
  std::atomic<std::uint64_t> next;
  std::atomic<std::uint64_t> jobs[kMost];
};

namespace {

constexpr std::size_t kPlaces = 256;
constexpr std::size_t kBytes = kPlaces * sizeof(Begun::Place);
static_assert(sizeof(Begun::Place) == 1024);

}  // namespace

Begun::Begun(const std::string& path) {
  base::Fd file;
  if (!path.empty()) {
    file = base::open_file(path, O_RDWR | O_CREAT);
    // A hole would be a SIGBUS on a full disk.
    if (const int code = ::posix_fallocate(file.get(), 0, kBytes)) {
      base::throw_system(fmt::format("cannot write '{}'", path), code);
    }
  }
  const int flags = MAP_SHARED | (file ? 0 : MAP_ANONYMOUS);
  void* map = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, flags, file.get(), 0);
  if (map == MAP_FAILED) base::throw_system(fmt::format("cannot map '{}'", path), errno);
  places_ = static_cast<Place*>(map);
}

Begun::~Begun() { ::munmap(places_, kBytes); }

Begun::Place& Begun::place(WorkerId worker) const { return places_[worker % kPlaces]; }

WorkerId Begun::owner(WorkerId worker) const { return place(worker).worker; }

void Begun::take_place(WorkerId worker) {
  Place& mine = place(worker);
  mine.worker = worker;
  for (auto& job : mine.jobs) job = 0;
  mine.next = 0;
}

void Begun::mark(WorkerId worker, JobId job) {
  Place& mine = place(worker);
  mine.jobs[mine.next.fetch_add(1) % kMost] = job;
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
