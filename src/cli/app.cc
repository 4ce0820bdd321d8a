#include "cli/app.hpp"

#include "base/fail.hpp"
#include "cli/fault.hpp"
#include "cli/help.hpp"
#include "cli/parse.hpp"
#include "cli/session.hpp"
#include "cli/verb.hpp"

#include <algorithm>

namespace tq::cli {
namespace {

const VerbEntry* find_verb(std::string_view name) {
  const auto& all = verbs();
  const auto found = std::find_if(all.begin(), all.end(), [name](const VerbEntry& verb) { return verb.name == name; });
  return found == all.end() ? nullptr : &*found;
}

bool is_first_of_two(const VerbEntry& verb, std::string_view word) {
  return verb.name.size() > word.size() && verb.name[word.size()] == ' ' && verb.name.starts_with(word);
}

// The second words of a verb that has two ("queue"); empty if there is no such verb.
std::vector<std::string_view> second_words(std::string_view first) {
  std::vector<std::string_view> words;
  for (const VerbEntry& verb : verbs()) {
    if (is_first_of_two(verb, first)) words.push_back(verb.name.substr(first.size() + 1));
  }
  return words;
}

std::vector<std::string_view> first_words() {
  std::vector<std::string_view> words;
  for (const VerbEntry& verb : verbs()) words.push_back(verb.name.substr(0, verb.name.find(' ')));
  return words;
}

// Finds the verb and takes its words off. `queue` and `dead` alone list.
const VerbEntry& take_verb(std::vector<std::string>& words) {
  const std::string first = words.front();
  words.erase(words.begin());
  if (const VerbEntry* verb = find_verb(first)) return *verb;
  const auto seconds = second_words(first);
  if (seconds.empty()) {
    const std::string meant = suggestion(first, first_words());
    base::fail<InvalidArgument>("there is no command '{}': {}", first,
                                meant.empty() ? "'tq --help' lists them" : meant);
  }
  if (words.empty() || words.front().starts_with('-')) return *find_verb(first + " ls");
  const std::string second = words.front();
  words.erase(words.begin());
  if (const VerbEntry* verb = find_verb(first + ' ' + second)) return *verb;
  const std::string meant = suggestion(second, seconds);
  std::string all;
  for (const std::string_view word : seconds) all.append(all.empty() ? "" : ", ").append(word);
  base::fail<InvalidArgument>("there is no command '{} {}': {}", first, second,
                              meant.empty() ? "there are " + all : meant);
}

class App {
 public:
  int run(std::vector<std::string> words) {
    Parameters everywhere;
    globals_.declare(everywhere, true);
    everywhere.flag("--version", globals_.version, "print the version");
    const auto before_verb = static_cast<std::ptrdiff_t>(leading_options(everywhere, words));
    parse(everywhere, {words.begin(), words.begin() + before_verb});
    words.erase(words.begin(), words.begin() + before_verb);
    if (globals_.version) return print(TQ_VERSION "\n");
    const bool asks_for_help = !words.empty() && words.front() == "help";
    if (asks_for_help) words.erase(words.begin());
    globals_.help |= asks_for_help;
    if (words.empty() && globals_.help) return print(help());
    if (words.empty()) words.emplace_back("status");
    return run_verb(words);
  }

  bool ends_as_job() const { return verb_ && verb_->ends_as_job(); }

 private:
  int run_verb(std::vector<std::string>& words) {
    entry_ = &take_verb(words);
    verb_ = entry_->make();
    Parameters own;
    verb_->declare(own);
    Parameters all = own;
    globals_.declare(all, own.find("-f") == nullptr);
    const std::string_view missing = parse(all, std::move(words));
    if (globals_.help) return print_help(own);
    if (!missing.empty()) base::fail<InvalidArgument>("{} is missing: {}", missing, usage(*entry_, own));
    expect_faults(ends_as_job() ? static_cast<int>(kOwnFailure) : static_cast<int>(kStoreFailed));
    Session session(globals_);
    const int code = verb_->run(session);
    session.out().flush();
    return code;
  }

  int print_help(const Parameters& own) {
    Parameters everywhere;
    globals_.declare(everywhere, own.find("-f") == nullptr);
    return print(help(*entry_, own, everywhere));
  }

  static int print(std::string_view text) {
    Output out(1);
    out.write(text);
    out.flush();
    return kDone;
  }

  Globals globals_;
  const VerbEntry* entry_ = nullptr;
  std::unique_ptr<Verb> verb_;
};

}  // namespace

int run(int argc, const char* const* argv) {
  App app;
  try {
    return app.run({argv + std::min(argc, 1), argv + argc});
  } catch (const OutputClosed&) {
    return kOutputClosed;
  } catch (const std::exception& error) {
    complain(error.what());
    return app.ends_as_job() ? static_cast<int>(kOwnFailure) : exit_code_of(error);
  }
}

}  // namespace tq::cli
