#include "cli/ids.hpp"
#include "cli/json_line.hpp"
#include "cli/verbs.hpp"

namespace tq::cli {
namespace {

class Retry : public Verb {
 public:
  void declare(Parameters& parameters) override { ids_.declare(parameters); }

  int run(Session& session) override {
    TaskQueue& store = session.store();
    return for_each_job(ids_.in(store), [&](JobId id) {
      store.retry(id);
      if (session.json()) session.out().line(Json::line().add("id", id).text());
    });
  }

 private:
  Ids ids_;
};

}  // namespace

std::unique_ptr<Verb> make_retry() { return std::make_unique<Retry>(); }

}  // namespace tq::cli
