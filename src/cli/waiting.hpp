// What `add` and `put` do after the job is in: print its id and, if asked to, wait for its end.
#pragma once

#include "cli/parameters.hpp"
#include "cli/session.hpp"

namespace tq::cli {

void print_id(Session& session, JobId id);

// --wait and --follow.
class Waiting {
 public:
  void declare(Parameters& parameters);
  bool is_wanted() const { return waits_ || follows_; }
  // Waits if that is wanted, and returns the exit code. Blocks.
  int wait(Session& session, const TaskQueue& store, JobId id);
  // From now on the exit code is the job's.
  bool has_begun() const { return has_begun_; }

 private:
  bool waits_ = false;
  bool follows_ = false;
  bool has_begun_ = false;
};

}  // namespace tq::cli
