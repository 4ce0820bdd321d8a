// Jobs as a table.
#pragma once

#include "cli/session.hpp"

#include <vector>

namespace tq::cli {

// Prints them: with --json an object each, with --quiet the ids alone.
void print_jobs(Session& session, const TaskQueue& store, const std::vector<JobInfo>& jobs);
// Those that failed, with their errors.
void print_dead(Session& session, const TaskQueue& store, const std::vector<JobInfo>& jobs);

// Calls `show` with all jobs that the filter wants, newest first, a page after the other, up to `limit`. Returns how many.
template <class Show>
std::size_t each_page(const TaskQueue& store, JobFilter filter, std::size_t limit, Show show) {
  constexpr std::size_t kPage = 1000;
  std::size_t count = 0;
  while (count < limit) {
    filter.limit = std::min(kPage, limit - count);
    const auto jobs = store.list(filter);
    show(jobs);
    count += jobs.size();
    if (jobs.size() < filter.limit) break;
    filter.before = jobs.back().id;
  }
  return count;
}

}  // namespace tq::cli
