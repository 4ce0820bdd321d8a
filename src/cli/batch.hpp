// `put --batch`: many jobs from a stream of lines, a thousand a transaction.
#pragma once

#include "cli/job_options.hpp"
#include "cli/lines.hpp"
#include "cli/progress.hpp"
#include "cli/session.hpp"

#include <span>
#include <string>
#include <vector>

namespace tq::cli {

class Batch {
 public:
  // Lines that name no task have `task`; options that they do not give are as in `defaults`. With `goes_on`, bad lines are
  // skipped and reported at the end.
  Batch(Session& session, TaskQueue& store, const JobOptions& defaults, std::string task, bool goes_on);

  // Adds the jobs of all lines and prints their ids as ranges. Returns the exit code.
  int run(Lines& lines);

 private:
  struct Line {
    std::uint64_t number;
    std::size_t bytes;
  };

  void take(std::string_view text);
  void commit();
  void add(std::span<const JobSpec> jobs, std::span<const Line> lines);
  void refuse(std::uint64_t line, const std::string& reason);
  void print(const std::vector<JobId>& ids);
  int end();

  Session& session_;
  TaskQueue& store_;
  const JobOptions& defaults_;
  const std::string task_;
  const bool goes_on_;
  Progress progress_;

  std::uint64_t line_ = 0;
  std::uint64_t added_ = 0;
  std::vector<JobSpec> jobs_;  // read, but not yet in the store
  std::vector<Line> lines_;    // where they come from
  std::size_t bytes_ = 0;      // of them
  std::uint64_t refused_ = 0;
  std::vector<std::string> reasons_;  // of the first of those
};

}  // namespace tq::cli
