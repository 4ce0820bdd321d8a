#include "cli/ids.hpp"

#include "base/fail.hpp"

#include <algorithm>
#include <charconv>
#include <unordered_set>

namespace tq::cli {
namespace {

JobId read_id(std::string_view text, const std::string& whole) {
  JobId id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  const bool is_id = error == std::errc() && end == text.data() + text.size() && id != 0;
  if (!is_id) base::fail<InvalidArgument>("'{}' is no job: write its number, or a range of them like 3-7", whole);
  return id;
}

// What exists from `first` to `last`, read from its end: the cost is that of the jobs that are there, not of the range.
std::vector<JobId> existing(const TaskQueue& store, JobId first, JobId last) {
  constexpr std::size_t kPage = 1000;
  std::vector<JobId> ids;
  JobFilter filter;
  filter.before = last == std::numeric_limits<JobId>::max() ? 0 : last + 1;
  filter.limit = kPage;
  for (;;) {
    const auto page = store.list(filter);
    for (const JobInfo& job : page) {
      if (job.id >= first) ids.push_back(job.id);
    }
    if (page.size() < kPage || page.back().id <= first) break;
    filter.before = page.back().id;
  }
  std::reverse(ids.begin(), ids.end());
  return ids;
}

}  // namespace

void Ids::declare(Parameters& parameters, bool is_required) {
  parameters.positional({"ID", Offer::jobs, is_required, true, [this](const std::string& text) { add(text); }});
}

void Ids::add(const std::string& text) {
  const std::size_t dash = text.find('-');
  const JobId first = read_id(std::string_view(text).substr(0, dash), text);
  const JobId last = dash == text.npos ? first : read_id(std::string_view(text).substr(dash + 1), text);
  if (last < first) base::fail<InvalidArgument>("'{}' runs backwards: write {}-{}", text, last, first);
  ranges_.push_back({first, last});
}

std::optional<JobId> Ids::only() const {
  if (ranges_.size() != 1 || ranges_.front().first != ranges_.front().last) return std::nullopt;
  return ranges_.front().first;
}

std::vector<JobId> Ids::in(const TaskQueue& store) const {
  std::vector<JobId> ids;
  std::unordered_set<JobId> seen;
  for (const Range& range : ranges_) {
    const bool is_one = range.first == range.last;
    const auto found = is_one ? std::vector{range.first} : existing(store, range.first, range.last);
    if (found.empty()) base::fail<NotFound>("there is no job from {} to {}", range.first, range.last);
    for (const JobId id : found) {
      if (seen.insert(id).second) ids.push_back(id);
    }
  }
  return ids;
}

}  // namespace tq::cli
