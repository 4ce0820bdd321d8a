// `queue ls|show|set|pause|resume|purge`.
#include "base/fail.hpp"
#include "cli/job_text.hpp"
#include "cli/json_values.hpp"
#include "cli/table.hpp"
#include "cli/verbs.hpp"

namespace tq::cli {
namespace {

class QueueLs : public Verb {
 public:
  void declare(Parameters&) override {}

  int run(Session& session) override {
    const auto queues = session.store().queues();
    if (session.json() || session.quiet()) {
      for (const QueueInfo& queue : queues) session.out().line(session.json() ? to_json(queue).text() : queue.name);
      return kDone;
    }
    Table table({{"QUEUE"}, {"STATE"}, {"WAITING", true}, {"RUNNING", true}, {"UNFINISHED", true}, {"MAX SIZE", true}});
    for (const QueueInfo& queue : queues) {
      const std::uint64_t max_size = queue.settings.max_size;
      table.row({{queue.name, Colour::bold},
                 {queue.paused ? "paused" : "open", queue.paused ? Colour::yellow : Colour::none},
                 {std::to_string(queue.waiting())},
                 {std::to_string(queue[State::running])},
                 {std::to_string(queue.unfinished())},
                 {max_size == 0 ? "-" : std::to_string(max_size)}});
    }
    if (!table.empty()) table.print(session.out(), session.out_terminal(), true);
    return kDone;
  }
};

// What acts on queues that are named.
class NamedQueues : public Verb {
 public:
  void declare(Parameters& parameters) override {
    const auto take = [this](const std::string& text) { names_.push_back(text); };
    parameters.positional({"NAME", Offer::queues, true, true, take});
  }

 protected:
  std::vector<std::string> names_;
};

class QueueShow : public NamedQueues {
 public:
  int run(Session& session) override {
    const TaskQueue& store = session.store();
    int code = kDone;
    for (const std::string& name : names_) {
      const auto queue = store.queue(name);
      if (queue) {
        session.json() ? session.out().line(to_json(*queue).text()) : print(session, *queue);
      } else {
        complain(fmt::format("there is no queue '{}'", name));
        code = kNotFound;
      }
    }
    return code;
  }

 private:
  static void print(Session& session, const QueueInfo& queue) {
    const std::uint64_t max_size = queue.settings.max_size;
    session.out().line(fmt::format("queue {}: {}", printable(queue.name), queue.paused ? "paused" : "open"));
    session.out().line(fmt::format("  {:<11}{}", "max_size", max_size == 0 ? "no limit" : std::to_string(max_size)));
    for (std::size_t i = 1; i < kStateCount; ++i) {
      session.out().line(fmt::format("  {:<11}{}", to_string(static_cast<State>(i)), queue.count[i]));
    }
  }
};

class QueueSet : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.positional({"NAME", Offer::queues, true, false, [this](const std::string& text) { name_ = text; }});
    const auto take = [this](const std::string& text) { pairs_.push_back(text); };
    parameters.positional({"KEY=VALUE", Offer::nothing, true, true, take});
  }

  int run(Session& session) override {
    QueueSettings settings;
    for (const std::string& pair : pairs_) set(settings, pair);
    session.store_to_write().configure(name_, settings);
    if (session.json()) session.out().line(Json::line().add("queue", name_).add("max_size", settings.max_size).text());
    return kDone;
  }

 private:
  static void set(QueueSettings& settings, const std::string& pair) {
    const std::size_t equals = pair.find('=');
    const std::string key = pair.substr(0, equals);
    if (key != "max_size" || equals == pair.npos) {
      const bool is_near = !suggestion(key, {"max_size"}).empty();
      base::fail<InvalidArgument>("'{}' is no setting: {} max_size=N (0: no limit)", pair,
                                  is_near ? "did you mean" : "write");
    }
    try {
      read(pair.substr(equals + 1), settings.max_size);
    } catch (const InvalidArgument& error) {
      base::fail<InvalidArgument>("max_size: {}", error.what());
    }
  }

  std::string name_;
  std::vector<std::string> pairs_;
};

void say_paused(Session& session, const std::string& name, bool paused) {
  if (session.json()) session.out().line(Json::line().add("queue", name).add("paused", paused).text());
}

class QueuePause : public NamedQueues {
 public:
  int run(Session& session) override {
    for (const std::string& name : names_) {
      session.store_to_write().pause(name);
      say_paused(session, name, true);
    }
    return kDone;
  }
};

class QueueResume : public NamedQueues {
 public:
  int run(Session& session) override {
    for (const std::string& name : names_) {
      session.store().resume(name);
      say_paused(session, name, false);
    }
    return kDone;
  }
};

class QueuePurge : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.option("--state", "STATE", state_, "those in this state, instead of those that wait", Offer::states);
    parameters.positional({"NAME", Offer::queues, true, false, [this](const std::string& text) { name_ = text; }});
  }

  int run(Session& session) override {
    const std::uint64_t removed = session.store().purge(name_, state_);
    const Json json = Json::line().add("queue", name_).add("removed", removed);
    session.out().line(session.json() ? json.text() : std::to_string(removed));
    return kDone;
  }

 private:
  std::string name_;
  std::optional<State> state_;
};

}  // namespace

std::unique_ptr<Verb> make_queue_ls() { return std::make_unique<QueueLs>(); }
std::unique_ptr<Verb> make_queue_show() { return std::make_unique<QueueShow>(); }
std::unique_ptr<Verb> make_queue_set() { return std::make_unique<QueueSet>(); }
std::unique_ptr<Verb> make_queue_pause() { return std::make_unique<QueuePause>(); }
std::unique_ptr<Verb> make_queue_resume() { return std::make_unique<QueueResume>(); }
std::unique_ptr<Verb> make_queue_purge() { return std::make_unique<QueuePurge>(); }

}  // namespace tq::cli
