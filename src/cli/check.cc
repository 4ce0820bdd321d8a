#include "cli/job_text.hpp"
#include "cli/json_line.hpp"
#include "cli/repair.hpp"
#include "cli/verbs.hpp"

namespace tq::cli {
namespace {

class Check : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.flag("--deep", deep_, "look also at all output and the side files");
    parameters.flag("--repair", repair_, "make the store anew from what is whole of it");
  }

  int run(Session& session) override {
    if (repair_) return run_repair(session);
    const CheckReport report = session.store().check(deep_);
    if (session.json()) {
      const Json json = Json::line().add("records", report.records).add("problems", report.problems);
      session.out().line(json.text());
    } else {
      for (const std::string& problem : report.problems) session.out().line(printable(problem));
    }
    session.out().flush();
    if (report.problems.empty()) {
      session.words(fmt::format("{}, no problems", count_of(report.records, "record")));
      return kDone;
    }
    session.words(
        fmt::format("{}, {}", count_of(report.records, "record"), count_of(report.problems.size(), "problem")));
    return kStoreFailed;
  }

 private:
  bool deep_ = false;
  bool repair_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_check() { return std::make_unique<Check>(); }

}  // namespace tq::cli
