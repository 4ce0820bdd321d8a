#include "base/fail.hpp"
#include "cli/ids.hpp"
#include "cli/json_line.hpp"
#include "cli/verbs.hpp"

namespace tq::cli {
namespace {

class Set : public Verb {
 public:
  void declare(Parameters& parameters) override {
    const auto take = [this](const std::string& text) {
      text.find('=') == text.npos ? ids_.add(text) : pairs_.push_back(text);
    };
    parameters.positional({"ID", Offer::jobs, true, true, take});
    // For the help only: the one before takes all words.
    parameters.positional({"KEY=VALUE", Offer::nothing, true, true});
  }

  int run(Session& session) override {
    if (ids_.empty()) base::fail<InvalidArgument>("ID is missing: tq set ID... KEY=VALUE...");
    if (pairs_.empty()) base::fail<InvalidArgument>("there is nothing to set: write {}", kKeys);
    for (const std::string& pair : pairs_) set(pair);
    TaskQueue& store = session.store();
    return for_each_job(ids_.in(store), [&](JobId id) {
      store.set(id, change_);
      if (session.json()) session.out().line(Json::line().add("id", id).text());
    });
  }

 private:
  static constexpr std::string_view kKeys = "queue=NAME, priority=N, at=TIME or labels=A,B";

  void set(const std::string& text) {
    const std::size_t equals = text.find('=');
    const std::string key = text.substr(0, equals);
    try {
      set(key, text.substr(equals + 1));
    } catch (const InvalidArgument& error) {
      base::fail<InvalidArgument>("{}: {}", key, error.what());
    }
  }

  void set(const std::string& key, const std::string& value) {
    if (key == "queue") {
      change_.queue = value;
    } else if (key == "priority") {
      read(value, change_.priority);
    } else if (key == "at") {
      read(value, change_.at);
    } else if (key == "labels" || key == "label") {
      change_.labels.emplace();
      if (!value.empty()) read(value, *change_.labels);
    } else {
      const std::string meant = suggestion(key, {"queue", "priority", "at", "labels"});
      base::fail<InvalidArgument>("there is no such setting: {}",
                                  meant.empty() ? fmt::format("write {}", kKeys) : meant);
    }
  }

  Ids ids_;
  std::vector<std::string> pairs_;
  JobChange change_;
};

}  // namespace

std::unique_ptr<Verb> make_set() { return std::make_unique<Set>(); }

}  // namespace tq::cli
