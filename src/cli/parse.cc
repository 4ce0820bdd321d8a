// The only file that knows CLI11: it tells options, values and arguments apart. What the values mean, and every word that a
// person reads, is ours.
#include "cli/parse.hpp"

#include "base/fail.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>

namespace tq::cli {
namespace {

using base::fail;

// "-x", "--xyz", but neither "-" nor a negative number.
bool looks_like_option(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9');
}

// Whether the value of the option in `word` is the next word. Of flags written together ("-qf FILE") the last may have one.
bool takes_next(const Parameters& parameters, std::string_view word) {
  if (word.starts_with("--")) {
    const Option* option = word.find('=') == word.npos ? parameters.find(word) : nullptr;
    return option != nullptr && !option->is_flag();
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    const Option* option = parameters.find(std::string{'-', word[i]});
    if (option == nullptr) return false;
    if (!option->is_flag()) return i + 1 == word.size();
  }
  return false;
}

[[noreturn]] void unknown_option(const Parameters& parameters, std::string_view word) {
  const std::string_view name = word.substr(0, word.find('='));
  std::vector<std::string_view> known;
  for (const Option& option : parameters.options()) known.push_back(option.long_name());
  const std::string meant = suggestion(name, known);
  fail<InvalidArgument>("there is no option '{}'{}{}", name, meant.empty() ? "" : ": ", meant);
}

[[noreturn]] void left_over(const Parameters& parameters, const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    if (looks_like_option(word)) unknown_option(parameters, word);
  }
  fail<InvalidArgument>("'{}' is one argument too many", words.front());
}

// What `take` throws, with the option's name before it.
void take_named(std::string_view name, const std::function<void(const std::string&)>& take, const std::string& text) {
  try {
    take(text);
  } catch (const InvalidArgument& error) {
    fail<InvalidArgument>("{}: {}", name, error.what());
  }
}

void add_option(CLI::App& app, const Option& option) {
  const std::string names(option.names);
  if (option.is_flag()) {
    const auto take = [&option](std::int64_t) { take_named(option.long_name(), option.take, {}); };
    app.add_flag_function(names, take);
    return;
  }
  const auto take_all = [&option](const CLI::results_t& values) {
    for (const std::string& value : values) take_named(option.long_name(), option.take, value);
    return true;
  };
  using Policy = CLI::MultiOptionPolicy;
  // One value each time: "--label a 3" has one label.
  app.add_option(names, take_all)
      ->expected(1)
      ->multi_option_policy(option.is_repeatable ? Policy::TakeAll : Policy::TakeLast);
}

CLI::Option* add_positional(CLI::App& app, const Positional& positional, std::size_t place) {
  const auto take_all = [&positional](const CLI::results_t& values) {
    for (const std::string& value : values) take_named(positional.name, positional.take, value);
    return true;
  };
  CLI::Option* option = app.add_option("argument" + std::to_string(place), take_all);
  if (positional.is_repeatable) option->expected(1, CLI::detail::expected_max_vector_size)->allow_extra_args();
  return option;
}

[[noreturn]] void missing_value(const Parameters& parameters, std::vector<std::string> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string name = words[i].substr(0, words[i].find('='));
    if (name.starts_with("--") && name.size() + 1 == words[i].size()) words[i] = name;  // "--queue="
    const bool has_value = i + 1 < words.size() && !looks_like_option(words[i + 1]);
    if (!looks_like_option(words[i]) || !takes_next(parameters, words[i]) || has_value) continue;
    const bool is_long = words[i].starts_with("--");
    const Option* option = parameters.find(is_long ? words[i] : std::string{'-', words[i].back()});
    fail<InvalidArgument>("{} needs a value: write {} {}", option->long_name(), option->long_name(), option->value);
  }
  fail<InvalidArgument>("an option has no value");
}

// Splits the command off; what is left before it are options.
void take_command(const Parameters& parameters, std::vector<std::string>& words) {
  const auto first = words.begin() + static_cast<std::ptrdiff_t>(leading_options(parameters, words));
  const bool is_marked = first != words.end() && *first == "--";
  parameters.command()->assign(is_marked ? first + 1 : first, words.end());
  words.erase(first, words.end());
}

}  // namespace

std::size_t leading_options(const Parameters& parameters, const std::vector<std::string>& words) {
  std::size_t count = 0;
  while (count < words.size() && looks_like_option(words[count]) && words[count] != "--") {
    count += takes_next(parameters, words[count]) ? 2u : 1u;
  }
  return std::min(count, words.size());
}

std::string_view parse(const Parameters& parameters, std::vector<std::string> words) {
  if (parameters.command() != nullptr) take_command(parameters, words);
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  for (const Option& option : parameters.options()) add_option(app, option);
  std::vector<CLI::Option*> positionals;
  for (const Positional& positional : parameters.positionals()) {
    if (positional.take) positionals.push_back(add_positional(app, positional, positionals.size()));
  }
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ArgumentMismatch&) {
    missing_value(parameters, words);
  } catch (const CLI::ParseError& error) {
    fail<InvalidArgument>("{}", error.what());
  }
  auto extras = app.remaining();
  std::erase(extras, "--");  // that is where the options end, and CLI11 keeps it
  if (!extras.empty()) left_over(parameters, extras);
  for (std::size_t i = 0; i < positionals.size(); ++i) {
    const Positional& positional = parameters.positionals()[i];
    if (positional.is_required && positionals[i]->count() == 0) return positional.name;
  }
  return parameters.command() != nullptr && parameters.command()->empty() ? "COMMAND" : "";
}

}  // namespace tq::cli
