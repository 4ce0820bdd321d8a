// Jobs as they are named on a command line: "5", "3-7".
#pragma once

#include "cli/parameters.hpp"

#include <tq/task_queue.hpp>

#include <optional>
#include <string>
#include <vector>

namespace tq::cli {

class Ids {
 public:
  // The argument "ID", which may be given several times.
  void declare(Parameters& parameters, bool is_required = true);

  // Throws InvalidArgument.
  void add(const std::string& text);
  bool empty() const { return ranges_.empty(); }
  // The only id, if there is no more than one.
  std::optional<JobId> only() const;
  // Every id in the order given, each once. One that was given by itself is there whether or not the job exists; of a range
  // there are those that exist. Throws NotFound if none does.
  std::vector<JobId> in(const TaskQueue& store) const;

 private:
  struct Range {
    JobId first;
    JobId last;
  };
  std::vector<Range> ranges_;
};

}  // namespace tq::cli
