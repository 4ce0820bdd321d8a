#include "cli/job_options.hpp"
#include "cli/verbs.hpp"
#include "cli/waiting.hpp"

namespace tq::cli {
namespace {

class Add : public Verb {
 public:
  void declare(Parameters& parameters) override {
    options_.declare(parameters);
    command_.declare(parameters);
    waiting_.declare(parameters);
  }

  int run(Session& session) override {
    const Command command = command_.command();
    TaskQueue& store = session.store_to_write();
    const JobId id = store.enqueue(command, options_.values());
    print_id(session, id);
    return waiting_.wait(session, store, id);
  }

  bool ends_as_job() const override { return waiting_.has_begun(); }

 private:
  JobOptions options_;
  CommandOptions command_;
  Waiting waiting_;
};

}  // namespace

std::unique_ptr<Verb> make_add() { return std::make_unique<Add>(); }

}  // namespace tq::cli
