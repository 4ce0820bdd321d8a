#include "cli/job_table.hpp"
#include "cli/job_text.hpp"
#include "cli/verbs.hpp"

#include <limits>

namespace tq::cli {
namespace {

// A person is shown so many; a script all, because it would not notice what is missing.
constexpr std::size_t kForPeople = 100;

class Ls : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.option("--state", "STATE[,STATE]", filter_.states, "only jobs in one of these states", Offer::states);
    parameters.option("-Q,--queue", "QUEUE", filter_.queue, "only jobs of this queue", Offer::queues);
    parameters.option("--task", "TASK", filter_.task, "only jobs of this task");
    parameters.option("--label", "LABEL", filter_.label, "only jobs that have this label");
    parameters.option("--limit", "N", limit_, "at most so many (on a terminal 100, else all)");
  }

  int run(Session& session) override {
    const TaskQueue& store = session.store();
    const bool for_people = session.out_terminal().is_terminal;
    const std::size_t limit = limit_.value_or(for_people ? kForPeople : std::numeric_limits<std::size_t>::max());
    return session.json() || session.quiet() ? stream(session, store, limit) : print(session, store, limit);
  }

 private:
  int stream(Session& session, const TaskQueue& store, std::size_t limit) {
    each_page(store, filter_, limit, [&](const auto& jobs) { print_jobs(session, store, jobs); });
    return kDone;
  }

  // The columns are as wide as the widest of all rows: they have to be known first.
  int print(Session& session, const TaskQueue& store, std::size_t limit) {
    std::vector<JobInfo> all;
    each_page(store, filter_, limit, [&](const auto& jobs) { all.insert(all.end(), jobs.begin(), jobs.end()); });
    print_jobs(session, store, all);
    session.out().flush();
    if (all.empty()) session.confirm("no jobs");
    if (!limit_ && all.size() == limit) session.confirm(fmt::format("the newest {}; --limit N for more", limit));
    return kDone;
  }

  JobFilter filter_;
  std::optional<std::uint64_t> limit_;
};

}  // namespace

std::unique_ptr<Verb> make_ls() { return std::make_unique<Ls>(); }

}  // namespace tq::cli
