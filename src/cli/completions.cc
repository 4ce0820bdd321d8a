#include "base/fail.hpp"
#include "cli/completion.hpp"

namespace tq::cli {
namespace {

std::vector<DeclaredVerb> declare_all(std::vector<std::unique_ptr<Verb>>& owners, Globals& globals) {
  std::vector<DeclaredVerb> all;
  for (const VerbEntry& entry : verbs()) {
    owners.push_back(entry.make());
    DeclaredVerb& declared = all.emplace_back(DeclaredVerb{&entry, {}});
    owners.back()->declare(declared.parameters);
    globals.declare(declared.parameters, declared.parameters.find("-f") == nullptr);
  }
  return all;
}

class Completions : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.positional({"SHELL", Offer::nothing, true, false, [this](const std::string& text) { shell_ = text; }});
  }

  int run(Session& session) override {
    std::vector<std::unique_ptr<Verb>> owners;
    Globals globals;
    const auto all = declare_all(owners, globals);
    if (shell_ == "bash") {
      session.out().write(bash_completion(all));
    } else if (shell_ == "zsh") {
      session.out().write(zsh_completion(all));
    } else if (shell_ == "fish") {
      session.out().write(fish_completion(all));
    } else {
      base::fail<InvalidArgument>("'{}' is no shell known here: write bash, zsh or fish", shell_);
    }
    return kDone;
  }

 private:
  std::string shell_;
};

}  // namespace

std::unique_ptr<Verb> make_completions() { return std::make_unique<Completions>(); }

}  // namespace tq::cli
