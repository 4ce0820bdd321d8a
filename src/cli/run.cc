#include "cli/follow.hpp"
#include "cli/job_options.hpp"
#include "cli/own_worker.hpp"
#include "cli/signals.hpp"
#include "cli/verbs.hpp"

#include <csignal>
#include <unistd.h>

namespace tq::cli {
namespace {

class Run : public Verb {
 public:
  void declare(Parameters& parameters) override {
    options_.declare(parameters);
    command_.declare(parameters);
    parameters.flag("-w,--wait", waits_, "as of tq add; tq run always waits");
    parameters.flag("--follow", follows_, "as of tq add; tq run always follows");
  }

  int run(Session& session) override {
    const Command command = command_.command();
    hold_signals();
    TaskQueue& store = session.store_to_write();
    const JobId id = store.enqueue(command, options_.values());
    if (session.err_terminal().is_terminal) introduce(session, store, id);
    const SignalWatch signals([&](int signal, int count) { interrupt(session, store, id, signal, count); });
    const Result result = run(session, store, id);
    const int code = report(session, id, result);
    return result.state == State::cancelled && signals.last() != 0 ? 128 + signals.last() : code;
  }

  bool ends_as_job() const override { return true; }

 private:
  // What it is called, and what a person would wait for without knowing it.
  static void introduce(const Session& session, const TaskQueue& store, JobId id) {
    std::string text = fmt::format("job {}", id);
    for (const Reason& reason : store.why(id)) {
      if (reason.code != "no_worker")
        text += fmt::format("{} {}", text.find(':') == text.npos ? ":" : ";", reason.text);
    }
    session.confirm(text);
  }

  static Result run(Session& session, TaskQueue& store, JobId id) {
    LogView view;
    view.is_split = true;
    const OwnWorker worker(store, id);
    try {
      return follow(session, store, id, view, 0, [&] { worker.check(); });
    } catch (const OutputClosed&) {
      // As a command in a pipe would end when nobody reads it any more.
      store.cancel(id, "nobody reads the output of tq run any more", SIGPIPE);
      store.wait(id);
      throw;
    }
  }

  // The first cancels the job, and its end ends this; the second ends this, and with it what its own worker runs.
  static void interrupt(const Session& session, TaskQueue& store, JobId id, int signal, int count) {
    if (count > 1) ::_exit(128 + signal);
    session.confirm("cancelling; once more ends tq at once");
    try {
      store.cancel(id, "tq run was interrupted", signal);
    } catch (const Error& error) {
      complain(error.what());
      ::_exit(kOwnFailure);
    }
  }

  JobOptions options_;
  CommandOptions command_;
  bool waits_ = true;
  bool follows_ = true;
};

}  // namespace

std::unique_ptr<Verb> make_run() { return std::make_unique<Run>(); }

}  // namespace tq::cli
