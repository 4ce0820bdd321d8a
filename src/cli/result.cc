#include "base/fail.hpp"
#include "cli/ids.hpp"
#include "cli/job_text.hpp"
#include "cli/json_text.hpp"
#include "cli/json_values.hpp"
#include "cli/verbs.hpp"

namespace tq::cli {
namespace {

Result require_result(const TaskQueue& store, JobId id) {
  const auto result = store.result(id);
  if (!result) {
    const auto job = store.get(id);
    base::fail<Conflict>("job {} is not over yet: it is {}", id, job ? to_string(job->state) : "gone");
  }
  if (result->state != State::succeeded) base::fail<Conflict>("job {} has no result: {}", id, ending(*result));
  return *result;
}

class ResultVerb : public Verb {
 public:
  void declare(Parameters& parameters) override { ids_.declare(parameters); }

  int run(Session& session) override {
    const TaskQueue& store = session.store();
    return for_each_job(ids_.in(store), [&](JobId id) { print(session, id, require_result(store, id).value); });
  }

 private:
  static void print(Session& session, JobId id, const Payload& value) {
    if (session.json()) {
      const bool is_value = value.codec == "json" && is_json(value.bytes);
      Json json = Json::line().add("id", id).add("codec", value.codec);
      json.raw("result", is_value ? one_line(value.bytes) : json_string(value.bytes));
      session.out().line(json.text());
      return;
    }
    session.out().write(value.bytes);
    // On a terminal the prompt that follows wants a line of its own; elsewhere bytes are bytes.
    const bool lacks_end = !value.bytes.empty() && value.bytes.back() != '\n';
    if (session.out_terminal().is_terminal && lacks_end) session.out().write("\n");
  }

  Ids ids_;
};

}  // namespace

std::unique_ptr<Verb> make_result() { return std::make_unique<ResultVerb>(); }

}  // namespace tq::cli
