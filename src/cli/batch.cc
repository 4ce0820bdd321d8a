#include "cli/batch.hpp"

#include "base/fail.hpp"
#include "cli/batch_line.hpp"
#include "cli/job_text.hpp"
#include "cli/json_line.hpp"

namespace tq::cli {
namespace {

constexpr std::size_t kJobs = 1000;                    // in one transaction
constexpr std::size_t kBytes = std::size_t{16} << 20;  // of lines, if they are long
constexpr std::size_t kReasons = 100;                  // that are kept of lines that were skipped

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r") == text.npos; }

}  // namespace

Batch::Batch(Session& session, TaskQueue& store, const JobOptions& defaults, std::string task, bool goes_on)
    : session_(session),
      store_(store),
      defaults_(defaults),
      task_(std::move(task)),
      goes_on_(goes_on),
      progress_(session.err_terminal(), session.err_terminal().is_terminal && !session.quiet()) {}

int Batch::run(Lines& lines) {
  try {
    while (refused_ == 0 || goes_on_) {
      if (!jobs_.empty() && lines.is_slow()) commit();
      const auto text = lines.next();
      if (!text) break;
      ++line_;
      if (!is_blank(*text)) take(*text);
    }
    commit();
  } catch (const Error&) {
    progress_.clear();
    complain(fmt::format("{} in before this:", count_of(added_, added_ == 1 ? "job is" : "job")));
    throw;
  }
  return end();
}

// Once a line has been refused nothing more is read; what was read before it is still committed.
void Batch::take(std::string_view text) {
  try {
    jobs_.push_back(read_job(text, defaults_, task_));
  } catch (const InvalidArgument& error) {
    refuse(line_, error.what());
    return;
  }
  lines_.push_back({line_, text.size()});
  bytes_ += text.size();
  if (jobs_.size() >= kJobs || bytes_ >= kBytes) commit();
}

void Batch::commit() {
  add(jobs_, lines_);
  jobs_.clear();
  lines_.clear();
  bytes_ = 0;
  progress_.show(fmt::format("{}, {} added", count_of(line_, "line"), added_));
}

// If one of them is refused none was added: halves, until it stands alone, add all before it.
void Batch::add(std::span<const JobSpec> jobs, std::span<const Line> lines) {
  if (jobs.empty()) return;
  const bool is_alone = jobs.size() == 1;
  try {
    print(store_.enqueue_many(jobs));
    return;
  } catch (const InvalidArgument& error) {
    if (is_alone) return refuse(lines.front().number, error.what());
  } catch (const QueueFull& error) {
    if (is_alone) base::fail<QueueFull>("line {}: {}", lines.front().number, error.what());
  }
  const std::size_t half = jobs.size() / 2;
  const std::uint64_t refused_before = refused_;
  add(jobs.first(half), lines.first(half));
  if (refused_ == refused_before || goes_on_) add(jobs.subspan(half), lines.subspan(half));
}

void Batch::refuse(std::uint64_t line, const std::string& reason) {
  if (++refused_ <= kReasons) reasons_.push_back(fmt::format("line {}: {}", line, reason));
}

void Batch::print(const std::vector<JobId>& ids) {
  added_ += ids.size();
  // Both may be on the same terminal.
  if (session_.out_terminal().is_terminal) progress_.clear();
  if (session_.json()) {
    const Json range = Json::line().add("first", ids.front()).add("last", ids.back()).add("count", ids.size());
    session_.out().line(range.text());
  } else if (ids.size() == 1) {
    session_.out().line(std::to_string(ids.front()));
  } else {
    session_.out().line(fmt::format("{}-{}", ids.front(), ids.back()));
  }
  session_.out().flush();
}

int Batch::end() {
  progress_.clear();
  if (refused_ == 0) {
    session_.confirm(fmt::format("{} added", count_of(added_, "job")));
    return kDone;
  }
  for (const std::string& reason : reasons_) complain(reason);
  if (goes_on_) {
    complain(fmt::format("{} skipped, {} added", count_of(refused_, "bad line"), count_of(added_, "job")));
  } else {
    complain(fmt::format("stopped there; {} of the lines before it added", count_of(added_, "job")));
  }
  return kUsage;
}

}  // namespace tq::cli
