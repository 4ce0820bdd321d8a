// `jobs.tq-begun`: which of the jobs that a worker has claimed ahead it runs now. A map in shared memory: it survives
// kill -9, which is all it is for: to blame a death on the jobs that were there, and on no others. It is not synced, and safe
// to find missing: then everybody was there.
//
// The file is 256 places of 1,024 bytes, one for the workers whose number is the same modulo 256:
//
//   place := worker (8 bytes)  0 (8 bytes)  126 * job (8 bytes), 0 where there is none
#pragma once

#include "base/shared_map.hpp"

#include <tq/types.hpp>

#include <cstddef>
#include <string>

namespace tq {

// Thread-safe.
class Begun {
 public:
  // A worker with more slots than this must not claim ahead.
  static constexpr std::size_t kMost = 126;

  // Maps the file, making it if need be. An empty path makes a private one for this process.
  explicit Begun(const std::string& path);
  ~Begun();
  Begun(const Begun&) = delete;
  Begun& operator=(const Begun&) = delete;

  // Who has this worker's place now; 0: nobody yet.
  WorkerId owner(WorkerId worker) const;
  void take_place(WorkerId worker);
  // Nothing is noted if the place is another worker's.
  void mark(WorkerId worker, JobId job);
  // It has ended.
  void unmark(WorkerId worker, JobId job);
  // Does the worker run this job, as far as anybody knows?
  bool has_begun(WorkerId worker, JobId job) const;

  struct Place;

 private:
  Place& place(WorkerId worker) const;

  const base::SharedMap map_;
  Place* const places_;
};

}  // namespace tq
