#include "base/fail.hpp"
#include "cli/ids.hpp"
#include "cli/verbs.hpp"
#include "cli/wait_many.hpp"

namespace tq::cli {
namespace {

class Wait : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.flag("--all", all_, "every job that is not over");
    parameters.option("-Q,--queue", "QUEUE", queue_, "every job of this queue that is not over", Offer::queues);
    parameters.flag("--any", options_.any, "until the first of them is over");
    parameters.option("--timeout", "DURATION", options_.timeout, "give up after so long, with exit code 124");
    parameters.flag("--progress", options_.progress, "say how far it is, also where stderr is no terminal");
    ids_.declare(parameters, false);
  }

  int run(Session& session) override {
    const bool by_queue = all_ || queue_;
    if (ids_.empty() && !by_queue) base::fail<InvalidArgument>("wait for what? Write ID..., --all or -Q QUEUE");
    if (!ids_.empty() && by_queue) base::fail<InvalidArgument>("IDs are given, and also --all or -Q: use one of them");
    options_.progress |= session.err_terminal().is_terminal && !session.quiet();
    const TaskQueue& store = session.store();
    if (by_queue) return wait_until_idle(session, store, queue_, options_);
    if (const auto id = ids_.only()) return wait_for_one(session, store, *id, options_);
    return wait_for_jobs(session, store, ids_.in(store), options_);
  }

  bool ends_as_job() const override { return ids_.only() && !all_ && !queue_; }

 private:
  Ids ids_;
  bool all_ = false;
  std::optional<std::string> queue_;
  WaitOptions options_;
};

}  // namespace

std::unique_ptr<Verb> make_wait() { return std::make_unique<Wait>(); }

}  // namespace tq::cli
