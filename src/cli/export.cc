#include "cli/job_text.hpp"
#include "cli/progress.hpp"
#include "cli/record_line.hpp"
#include "cli/verbs.hpp"

#include <tq/upkeep.hpp>

namespace tq::cli {
namespace {

class Export : public Verb {
 public:
  void declare(Parameters&) override {}

  int run(Session& session) override {
    // Not in between the lines of the same terminal.
    const bool shows = session.err_terminal().is_terminal && !session.out_terminal().is_terminal && !session.quiet();
    Progress progress(session.err_terminal(), shows);
    const std::uint64_t records = export_records(
        session.store(), [&](const Record& record) { session.out().line(to_line(record)); },
        [&](std::uint64_t done, std::uint64_t all) { progress.show(bar_of(done, all)); });
    session.out().flush();
    progress.clear();
    session.confirm(fmt::format("{} exported", count_of(records, "record")));
    return kDone;
  }
};

}  // namespace

std::unique_ptr<Verb> make_export() { return std::make_unique<Export>(); }

}  // namespace tq::cli
