#include "cli/ids.hpp"
#include "cli/json_values.hpp"
#include "cli/verbs.hpp"

namespace tq::cli {
namespace {

class Why : public Verb {
 public:
  void declare(Parameters& parameters) override { ids_.declare(parameters); }

  int run(Session& session) override {
    const TaskQueue& store = session.store();
    const auto ids = ids_.in(store);
    return for_each_job(ids, [&](JobId id) {
      const std::string prefix = ids.size() == 1 ? "" : fmt::format("{}: ", id);
      const auto reasons = store.why(id);
      for (const Reason& reason : reasons) {
        session.out().line(session.json() ? to_json(id, reason).text() : prefix + printable(reason.text));
      }
      if (reasons.empty()) session.confirm(prefix + "nothing keeps it: it is about to run");
    });
  }

 private:
  Ids ids_;
};

}  // namespace

std::unique_ptr<Verb> make_why() { return std::make_unique<Why>(); }

}  // namespace tq::cli
