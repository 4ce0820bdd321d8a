#include "cli/waiting.hpp"

#include "cli/follow.hpp"
#include "cli/json_line.hpp"

namespace tq::cli {

void print_id(Session& session, JobId id) {
  session.out().line(session.json() ? Json::line().add("id", id).text() : std::to_string(id));
  session.out().flush();
}

void Waiting::declare(Parameters& parameters) {
  parameters.flag("-w,--wait", waits_, "wait until the job is over and exit with its code");
  parameters.flag("--follow", follows_, "the same, and show its output as it comes");
}

int Waiting::wait(Session& session, const TaskQueue& store, JobId id) {
  if (!is_wanted()) return kDone;
  has_begun_ = true;
  LogView view;
  view.is_split = true;
  const Result result = follows_ ? follow(session, store, id, view, 0) : store.wait(id).value();
  return report(session, id, result);
}

}  // namespace tq::cli
