#include "cli/ids.hpp"
#include "cli/json_line.hpp"
#include "cli/verbs.hpp"

namespace tq::cli {
namespace {

class Remove : public Verb {
 public:
  void declare(Parameters& parameters) override { ids_.declare(parameters); }

  int run(Session& session) override {
    TaskQueue& store = session.store();
    return for_each_job(ids_.in(store), [&](JobId id) {
      store.remove(id);
      if (session.json()) session.out().line(Json::line().add("id", id).text());
    });
  }

 private:
  Ids ids_;
};

}  // namespace

std::unique_ptr<Verb> make_rm() { return std::make_unique<Remove>(); }

}  // namespace tq::cli
