#include "base/time_text.hpp"
#include "cli/job_text.hpp"
#include "cli/signals.hpp"
#include "cli/verbs.hpp"
#include "cli/worker_report.hpp"

#include <tq/worker.hpp>

#include <thread>

namespace tq::cli {
namespace {

class WorkerVerb : public Verb {
 public:
  void declare(Parameters& parameters) override {
    const auto jobs = [this](const std::string& text) {
      options_.concurrency = static_cast<std::uint32_t>(read_number(text, 1, 1024));
    };
    const auto crashes = [this](const std::string& text) {
      options_.max_crashes = static_cast<std::uint32_t>(read_number(text, 1, 1000));
    };
    parameters.option("-j,--jobs", "N", jobs, "run so many at a time (as many as there are processors)");
    parameters.option("-Q,--queue", "QUEUE[,QUEUE]", options_.queues, "of these queues, in this order (all)",
                      Offer::queues);
    parameters.flag("--drain", options_.drain, "end when nothing is left that could be done now");
    parameters.flag("--once", options_.once, "end after one job");
    parameters.option("--max-crashes", "N", crashes, "fail a job at so many deaths of its worker (3)");
    parameters.option("--grace", "DURATION", options_.shutdown_grace, "what a stop leaves to jobs that run (25s)");
    parameters.flag("-v,--verbose", verbose_, "say what starts and ends, also where stderr is no terminal");
    options_.commands = true;
    options_.own_process = true;
    options_.concurrency = std::clamp(std::thread::hardware_concurrency(), 1u, 1024u);
  }

  int run(Session& session) override {
    hold_signals();
    TaskQueue& store = session.store_to_write();
    Worker worker(store, options_);
    const bool reports = !session.quiet() && (verbose_ || session.err_terminal().is_terminal);
    const SignalWatch signals([&](int, int count) {
      worker.stop(count > 1);
      if (reports) session.words(farewell(count));
    });
    std::optional<WorkerReport> report;
    if (reports) {
      session.words(greeting(store));
      report.emplace(session, store, worker);
    }
    const std::uint64_t attempts = worker.run();
    report.reset();
    if (reports) session.words(fmt::format("{} run", count_of(attempts, "attempt")));
    const bool had_nothing_to_do = attempts == 0 && (options_.once || options_.drain) && signals.last() == 0;
    return had_nothing_to_do ? kNothingToDo : kDone;
  }

 private:
  std::string farewell(int signals) const {
    if (signals > 1) return "stopping at once: what runs is queued again";
    return fmt::format("stopping: what runs may finish within {}; once more stops it",
                       base::format_duration(options_.shutdown_grace));
  }

  std::string greeting(const TaskQueue& store) const {
    std::string queues;
    for (const std::string& queue : options_.queues) queues.append(queues.empty() ? "" : ", ").append(queue);
    return fmt::format("worker of {}: {} at a time, {}", printable(store.path().native()),
                       count_of(options_.concurrency, "job"), queues.empty() ? "all queues" : "queues " + queues);
  }

  WorkerOptions options_;
  bool verbose_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_worker() { return std::make_unique<WorkerVerb>(); }

}  // namespace tq::cli
