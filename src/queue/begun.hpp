// `jobs.tq-begun`: which jobs a worker has begun of those that it had claimed ahead. A map in shared memory: it survives
// kill -9, which is all it is for: to blame a death on the jobs that were there, and on no others. It is not synced, and safe
// to find missing: then everybody was there.
//
// The file is 256 places of 1,024 bytes, one for the workers whose number is the same modulo 256:
//
//   place := worker (8 bytes)  next (8 bytes)  126 * job (8 bytes): a ring of the last jobs begun, `next` counting them
#pragma once

#include "base/shared_map.hpp"

#include <tq/types.hpp>

#include <cstddef>
#include <string>

namespace tq {

// One thread at a time for each worker.
class Begun {
 public:
  // As many jobs claimed ahead are told from each other.
  static constexpr std::size_t kMost = 126;

  // Maps the file, making it if need be. An empty path makes a private one for this process.
  explicit Begun(const std::string& path);
  ~Begun();
  Begun(const Begun&) = delete;
  Begun& operator=(const Begun&) = delete;

  // Who has this worker's place now; 0: nobody yet.
  WorkerId owner(WorkerId worker) const;
  void take_place(WorkerId worker);
  void mark(WorkerId worker, JobId job);
  // Has the worker begun this job, as far as anybody knows?
  bool has_begun(WorkerId worker, JobId job) const;

  struct Place;

 private:
  Place& place(WorkerId worker) const;

  const base::SharedMap map_;
  Place* const places_;
};

}  // namespace tq
