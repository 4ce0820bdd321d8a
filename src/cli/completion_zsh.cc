#include "cli/completion.hpp"

#include <fmt/format.h>
#include <iterator>

namespace tq::cli {
namespace {

std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      if (c == '[' || c == ']' || c == ':') out += '\\';
      out += c;
    }
  }
  return out;
}

std::string zsh_action(Offer offer) {
  switch (offer) {
    case Offer::files:
      return "_files";
    case Offer::directories:
      return "_files -/";
    case Offer::jobs:
    case Offer::queues:
      return fmt::format("{{compadd -- ${{(f)\"{}\"}}}}", words_of(offer));
    case Offer::states:
    case Offer::event_types:
      return fmt::format("({})", words_of(offer));
    default:
      return " ";
  }
}

void zsh_verb(std::string& out, const DeclaredVerb& verb) {
  fmt::format_to(std::back_inserter(out), "    '{}') _arguments -S", verb.entry->name);
  for (const Option& option : verb.parameters.options()) {
    const std::string value =
        option.is_flag() ? "" : fmt::format(":{}:{}", zsh_text(option.value), zsh_action(option.offer));
    const std::string_view repeat = option.is_repeatable ? "*" : "";
    const std::string help = zsh_text(option.help);
    for (const std::string_view name : {option.short_name(), option.long_name()}) {
      if (name.empty()) continue;
      fmt::format_to(std::back_inserter(out), " \\\n      '{}{}[{}]{}'", repeat, name, help, value);
    }
  }
  for (const Positional& positional : verb.parameters.positionals()) {
    fmt::format_to(std::back_inserter(out), " \\\n      '{}:{}:{}'", positional.is_repeatable ? "*" : "",
                   zsh_text(positional.name), zsh_action(positional.offer));
  }
  if (verb.parameters.command() != nullptr) out += " \\\n      '*::command:_normal'";
  out += " ;;\n";
}

}  // namespace

std::string zsh_completion(const std::vector<DeclaredVerb>& all) {
  std::string out =
      "#compdef tq\n"
      "_tq() {\n"
      "  local verb=${words[2]}\n"
      "  if ((CURRENT == 2)); then\n"
      "    local -a verbs=(\n";
  for (const VerbEntry& verb : verbs()) {
    if (verb.name.find(' ') != verb.name.npos) continue;
    fmt::format_to(std::back_inserter(out), "      '{}:{}'\n", verb.name, zsh_text(verb.summary));
  }
  out +=
      "      'queue:queues and their settings'\n      'dead:the jobs that are out of attempts')\n"
      "    _describe command verbs\n    return\n  fi\n"
      "  case $verb in\n"
      "    queue|dead)\n"
      "      if ((CURRENT == 3)); then\n";
  fmt::format_to(std::back_inserter(out),
                 "        [[ $verb == queue ]] && compadd {} || compadd {}\n        return\n      fi\n",
                 second_words("queue"), second_words("dead"));
  out +=
      "      verb+=\" ${words[3]}\"\n      shift words; ((CURRENT--)) ;;\n  esac\n"
      "  shift words; ((CURRENT--))\n"
      "  case $verb in\n";
  for (const DeclaredVerb& verb : all) zsh_verb(out, verb);
  return out + "  esac\n}\nif [[ $funcstack[1] == _tq ]]; then _tq \"$@\"; else compdef _tq tq; fi\n";
}

}  // namespace tq::cli
