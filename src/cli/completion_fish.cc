#include "cli/completion.hpp"

#include <fmt/format.h>
#include <iterator>

namespace tq::cli {
namespace {

std::string fish_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + '\'';
}

std::string fish_action(Offer offer) {
  const std::string words = words_of(offer);
  if (!words.empty()) return " -x -a " + fish_text(words.starts_with("$(") ? words.substr(1) : words);
  if (offer == Offer::directories) return " -x -a '(__fish_complete_directories)'";
  return offer == Offer::files ? " -r" : " -x";
}

void fish_verb(std::string& out, const DeclaredVerb& verb) {
  const std::size_t blank = verb.entry->name.find(' ');
  std::string condition = fmt::format("__fish_seen_subcommand_from {}", verb.entry->name.substr(0, blank));
  if (blank != verb.entry->name.npos) {
    condition += fmt::format("; and __fish_seen_subcommand_from {}", verb.entry->name.substr(blank + 1));
  }
  const std::string begin = fmt::format("complete -c tq -n {}", fish_text(condition));
  for (const Option& option : verb.parameters.options()) {
    out += begin;
    if (!option.short_name().empty()) fmt::format_to(std::back_inserter(out), " -s {}", option.short_name().substr(1));
    fmt::format_to(std::back_inserter(out), " -l {} -d {}{}\n", option.long_name().substr(2), fish_text(option.help),
                   option.is_flag() ? "" : fish_action(option.offer));
  }
  for (const Positional& positional : verb.parameters.positionals()) {
    if (positional.offer != Offer::nothing) out += begin + fish_action(positional.offer) + '\n';
  }
  if (verb.parameters.command() != nullptr) out += begin + " -x -a '(__fish_complete_subcommand)'\n";
}

}  // namespace

std::string fish_completion(const std::vector<DeclaredVerb>& all) {
  std::string out = "# fish completion of tq\ncomplete -c tq -f\n";
  const std::string first = "complete -c tq -n __fish_use_subcommand";
  for (const VerbEntry& verb : verbs()) {
    const std::size_t blank = verb.name.find(' ');
    if (blank == verb.name.npos) {
      fmt::format_to(std::back_inserter(out), "{} -a {} -d {}\n", first, verb.name, fish_text(verb.summary));
      continue;
    }
    const std::string_view one = verb.name.substr(0, blank);
    const std::string second =
        fmt::format("__fish_seen_subcommand_from {0}; and not __fish_seen_subcommand_from {1}", one, second_words(one));
    fmt::format_to(std::back_inserter(out), "complete -c tq -n {} -a {} -d {}\n", fish_text(second),
                   verb.name.substr(blank + 1), fish_text(verb.summary));
  }
  for (const std::string_view one : {"queue", "dead"})
    fmt::format_to(std::back_inserter(out), "{} -a {}\n", first, one);
  for (const DeclaredVerb& verb : all) fish_verb(out, verb);
  return out;
}

}  // namespace tq::cli
