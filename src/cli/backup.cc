// `backup` and `compact`: the same copy, looked at in two ways.
#include "cli/job_text.hpp"
#include "cli/json_line.hpp"
#include "cli/progress.hpp"
#include "cli/verbs.hpp"

#include <tq/upkeep.hpp>

namespace tq::cli {
namespace {

class Backup : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.positional({"OUT", Offer::files, true, false, [this](const std::string& text) { out_ = text; }});
  }

  int run(Session& session) override {
    const TaskQueue& store = session.store();
    Progress progress(session.err_terminal(), session.err_terminal().is_terminal && !session.quiet());
    const std::uint64_t records =
        backup(store, out_, [&](std::uint64_t done, std::uint64_t all) { progress.show(bar_of(done, all)); });
    progress.clear();
    const std::uint64_t bytes = std::filesystem::file_size(out_);
    if (session.json()) {
      session.out().line(Json::line().add("records", records).add("file", out_).add("file_bytes", bytes).text());
    } else {
      say(session, store, records, bytes);
    }
    return kDone;
  }

 protected:
  virtual void say(Session& session, const TaskQueue&, std::uint64_t records, std::uint64_t bytes) {
    session.words(fmt::format("{} in '{}', {}", count_of(records, "record"), printable(out_), byte_count(bytes)));
  }

  std::string out_;
};

class Compact : public Backup {
  void say(Session& session, const TaskQueue& store, std::uint64_t, std::uint64_t bytes) override {
    session.words(fmt::format("'{}' takes {} where the store takes {}", printable(out_), byte_count(bytes),
                              byte_count(store.stats().file_bytes)));
  }
};

}  // namespace

std::unique_ptr<Verb> make_backup() { return std::make_unique<Backup>(); }
std::unique_ptr<Verb> make_compact() { return std::make_unique<Compact>(); }

}  // namespace tq::cli
