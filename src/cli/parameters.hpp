// What a verb takes, declared once: parsing, help, suggestions and shell completion all come from here.
#pragma once

#include "cli/values.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace tq::cli {

// What a shell offers where a value is to come.
enum class Offer { nothing, files, directories, jobs, queues, states, event_types };

// An option. The texts must be literals.
struct Option {
  std::string_view names;  // "-Q,--queue"
  std::string_view value;  // what stands for its value in the help; empty: a flag
  std::string_view help;
  Offer offer = Offer::nothing;
  std::function<void(const std::string&)> take = {};  // called for each value given, in order; once for a flag
  bool is_repeatable = false;                         // else the last one wins

  bool is_flag() const { return value.empty(); }
  // "--queue", or "-f" of an option without a long name.
  std::string_view long_name() const;
  std::string_view short_name() const;  // "-Q", or empty
};

// An argument that is known by its place.
struct Positional {
  std::string_view name;  // "ID"
  Offer offer = Offer::nothing;
  bool is_required = true;
  bool is_repeatable = false;                         // takes all that are left
  std::function<void(const std::string&)> take = {};  // none: it is only for the help
};

class Parameters {
 public:
  void flag(std::string_view names, bool& target, std::string_view help) {
    options_.push_back({names, {}, help, Offer::nothing, [&target](const std::string&) { target = true; }});
  }
  // Anything that `read` knows.
  template <class T>
    requires requires(const std::string& text, T& value) { read(text, value); }
  void option(std::string_view names, std::string_view value, T& target, std::string_view help,
              Offer offer = Offer::nothing) {
    option(
        names, value, [&target](const std::string& text) { read_anew(text, target); }, help, offer);
  }
  void option(std::string_view names, std::string_view value, std::function<void(const std::string&)> take,
              std::string_view help, Offer offer = Offer::nothing) {
    options_.push_back({names, value, help, offer, std::move(take)});
  }
  // One that may be given several times.
  void each(std::string_view names, std::string_view value, std::function<void(const std::string&)> take,
            std::string_view help, Offer offer = Offer::nothing) {
    options_.push_back({names, value, help, offer, std::move(take), true});
  }
  void positional(Positional positional) { positionals_.push_back(std::move(positional)); }
  // The rest, from the first word on that is no option, is a command with its arguments, not to be looked into.
  void command(std::vector<std::string>& target) { command_ = &target; }

  const std::vector<Option>& options() const { return options_; }
  const std::vector<Positional>& positionals() const { return positionals_; }
  std::vector<std::string>* command() const { return command_; }
  // The option of that name ("-Q", "--queue"), or null.
  const Option* find(std::string_view name) const;

 private:
  // A list is replaced by the next one, not added to: the last option wins.
  template <class T>
  static void read_anew(const std::string& text, T& target) {
    T value{};
    read(text, value);
    target = std::move(value);
  }

  std::vector<Option> options_;
  std::vector<Positional> positionals_;
  std::vector<std::string>* command_ = nullptr;
};

}  // namespace tq::cli
