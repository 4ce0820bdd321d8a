// `dead ls|retry|purge`: the jobs that are out of attempts.
#include "base/clock.hpp"
#include "base/fail.hpp"
#include "cli/ids.hpp"
#include "cli/job_table.hpp"
#include "cli/json_line.hpp"
#include "cli/verbs.hpp"

#include <limits>

namespace tq::cli {
namespace {

constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

JobFilter failed_jobs() {
  JobFilter filter;
  filter.states = {State::failed};
  return filter;
}

void require_failed(const TaskQueue& store, JobId id) {
  const auto job = store.get(id);
  if (!job) base::fail<NotFound>("there is no job {}", id);
  if (job->state != State::failed) base::fail<Conflict>("job {} has not failed: it is {}", id, to_string(job->state));
}

void print_count(Session& session, std::string_view name, std::uint64_t count) {
  session.out().line(session.json() ? Json::line().add(name, count).text() : std::to_string(count));
}

class DeadLs : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.option("-Q,--queue", "QUEUE", filter_.queue, "only of this queue", Offer::queues);
    parameters.option("--limit", "N", limit_, "at most so many");
  }

  int run(Session& session) override {
    const TaskQueue& store = session.store();
    std::vector<JobInfo> all;
    each_page(store, filter_, limit_, [&](const auto& jobs) { all.insert(all.end(), jobs.begin(), jobs.end()); });
    print_dead(session, store, all);
    session.out().flush();
    if (all.empty()) session.confirm("nothing has failed");
    return kDone;
  }

 private:
  JobFilter filter_ = failed_jobs();
  std::uint64_t limit_ = kAll;
};

class DeadRetry : public Verb {
 public:
  void declare(Parameters& parameters) override { ids_.declare(parameters, false); }

  int run(Session& session) override {
    TaskQueue& store = session.store();
    std::vector<JobId> ids;
    if (ids_.empty()) {
      const auto add = [&](const std::vector<JobInfo>& jobs) {
        for (const JobInfo& job : jobs) ids.push_back(job.id);
      };
      each_page(store, failed_jobs(), kAll, add);
    } else {
      ids = ids_.in(store);
    }
    std::uint64_t count = 0;
    const int code = for_each_job(ids, [&](JobId id) {
      require_failed(store, id);
      store.retry(id);
      ++count;
    });
    print_count(session, "retried", count);
    return code;
  }

 private:
  Ids ids_;
};

class DeadPurge : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.option("--older", "DURATION", older_, "only those that failed longer ago than this");
    ids_.declare(parameters, false);
  }

  int run(Session& session) override {
    if (older_ && !ids_.empty()) base::fail<InvalidArgument>("IDs and --older are both given: use one of them");
    TaskQueue& store = session.store();
    std::uint64_t count = 0;
    int code = kDone;
    if (ids_.empty()) {
      const auto before = older_ ? std::optional(base::system_clock().now() - *older_) : std::nullopt;
      count = store.purge_dead(before);
    } else {
      code = for_each_job(ids_.in(store), [&](JobId id) {
        require_failed(store, id);
        store.remove(id);
        ++count;
      });
    }
    print_count(session, "removed", count);
    return code;
  }

 private:
  Ids ids_;
  std::optional<Duration> older_;
};

}  // namespace

std::unique_ptr<Verb> make_dead_ls() { return std::make_unique<DeadLs>(); }
std::unique_ptr<Verb> make_dead_retry() { return std::make_unique<DeadRetry>(); }
std::unique_ptr<Verb> make_dead_purge() { return std::make_unique<DeadPurge>(); }

}  // namespace tq::cli
