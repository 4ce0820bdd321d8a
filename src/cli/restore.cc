#include "cli/job_text.hpp"
#include "cli/json_line.hpp"
#include "cli/progress.hpp"
#include "cli/verbs.hpp"

#include <tq/upkeep.hpp>

namespace tq::cli {
namespace {

class Restore : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.positional({"IN", Offer::files, true, false, [this](const std::string& text) { in_ = text; }});
    parameters.flag("--replace", replace_, "rename a store that is there to FILE-replaced");
  }

  int run(Session& session) override {
    Progress progress(session.err_terminal(), session.err_terminal().is_terminal && !session.quiet());
    const std::uint64_t records = restore(in_, session.path(), replace_, [&](std::uint64_t done, std::uint64_t all) {
      progress.show(bar_of(done, all));
    });
    progress.clear();
    if (session.json()) {
      session.out().line(Json::line().add("records", records).add("file", session.path().native()).text());
    } else {
      session.words(fmt::format("{} in '{}'", count_of(records, "record"), printable(session.path().native())));
    }
    return kDone;
  }

 private:
  std::string in_;
  bool replace_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_restore() { return std::make_unique<Restore>(); }

}  // namespace tq::cli
