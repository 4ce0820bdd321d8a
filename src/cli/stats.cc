#include "cli/job_text.hpp"
#include "cli/json_values.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

namespace tq::cli {
namespace {

void print(Session& session, const Stats& stats) {
  Table now({{"NOW"}, {"", true}});
  for (std::size_t i = 1; i < kStateCount; ++i) {
    const auto state = static_cast<State>(i);
    const std::string name(to_string(state));
    now.row({{name, stats.count[i] == 0 ? Colour::dim : colour_of(state)}, {std::to_string(stats.count[i])}});
  }
  now.print(session.out(), session.out_terminal(), !session.quiet());
  session.out().line("");
  Table ever({{"EVER"}, {"", true}});
  ever.row({{"enqueued"}, {std::to_string(stats.enqueued)}});
  ever.row({{"attempts"}, {std::to_string(stats.attempts)}});
  ever.row({{"succeeded"}, {std::to_string(stats.succeeded)}});
  ever.row({{"failed"}, {std::to_string(stats.failed)}});
  ever.row({{"cancelled"}, {std::to_string(stats.cancelled)}});
  ever.row({{"expired"}, {std::to_string(stats.expired)}});
  ever.row({{"crashes"}, {std::to_string(stats.crashes)}});
  ever.row({{"events"}, {std::to_string(stats.last_event)}});
  ever.print(session.out(), session.out_terminal(), !session.quiet());
  session.out().line("");
  Table store({{"STORE"}, {"", true}});
  store.row({{"queues"}, {std::to_string(stats.queues)}});
  store.row({{"workers"}, {std::to_string(stats.workers)}});
  store.row({{"file"}, {byte_count(stats.file_bytes)}});
  store.row({{"in use"}, {byte_count(stats.used_bytes)}});
  store.print(session.out(), session.out_terminal(), !session.quiet());
}

class StatsVerb : public Verb {
 public:
  void declare(Parameters&) override {}

  int run(Session& session) override {
    const Stats stats = session.store().stats();
    if (session.json()) {
      session.out().line(to_json(stats).text());
    } else {
      print(session, stats);
    }
    return kDone;
  }
};

}  // namespace

std::unique_ptr<Verb> make_stats() { return std::make_unique<StatsVerb>(); }

}  // namespace tq::cli
