// `cancel` and `kill`: the same to the store; `kill` is for what runs, and chooses the signal.
#include "base/fail.hpp"
#include "cli/ids.hpp"
#include "cli/json_line.hpp"
#include "cli/verbs.hpp"

#include <csignal>

namespace tq::cli {
namespace {

void cancel(Session& session, TaskQueue& store, JobId id, const std::string& reason, int signal) {
  const CancelOutcome outcome = store.cancel(id, reason, signal);
  if (outcome == CancelOutcome::no_such_job) base::fail<NotFound>("there is no job {}", id);
  if (outcome == CancelOutcome::already_final) {
    const auto job = store.get(id);
    base::fail<Conflict>("job {} is over already: {}", id, job ? to_string(job->state) : "gone");
  }
  const bool is_running = outcome == CancelOutcome::requested;
  if (session.json()) {
    session.out().line(Json::line().add("id", id).add("outcome", is_running ? "requested" : "cancelled").text());
  } else {
    session.confirm(fmt::format("job {} {}", id, is_running ? "is running: it has been asked to stop" : "cancelled"));
  }
}

class Cancel : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.option("--reason", "TEXT", reason_, "why; kept as the job's error");
    ids_.declare(parameters);
  }

  int run(Session& session) override {
    TaskQueue& store = session.store();
    return for_each_job(ids_.in(store), [&](JobId id) { cancel(session, store, id, reason_, SIGTERM); });
  }

 private:
  Ids ids_;
  std::string reason_ = "cancelled by tq cancel";
};

class Kill : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.option(
        "-s,--signal", "SIGNAL", [this](const std::string& text) { signal_ = read_signal(text); },
        "begin with this one (TERM); KILL follows after a grace");
    ids_.declare(parameters);
  }

  int run(Session& session) override {
    TaskQueue& store = session.store();
    return for_each_job(ids_.in(store), [&](JobId id) {
      const auto job = store.get(id);
      if (job && !is_final(job->state) && job->state != State::running) {
        base::fail<Conflict>("job {} is not running, but {}: tq cancel keeps it from starting", id,
                             to_string(job->state));
      }
      cancel(session, store, id, "killed by tq kill", signal_);
    });
  }

 private:
  Ids ids_;
  int signal_ = SIGTERM;
};

}  // namespace

std::unique_ptr<Verb> make_cancel() { return std::make_unique<Cancel>(); }
std::unique_ptr<Verb> make_kill() { return std::make_unique<Kill>(); }

}  // namespace tq::cli
