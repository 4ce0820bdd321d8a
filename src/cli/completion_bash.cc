#include "cli/completion.hpp"

#include <fmt/format.h>
#include <iterator>

namespace tq::cli {
namespace {

// "-Q --queue"
std::string names_of(const Option& option) {
  const std::string_view short_name = option.short_name();
  std::string names(short_name);
  if (option.long_name() != short_name) names.append(names.empty() ? "" : " ").append(option.long_name());
  return names;
}

constexpr std::string_view kBashHead = R"(# bash completion of tq
_tq() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} verb= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      -f|--file|--color) ((i++)) ;;
      -*) ;;
      *) verb=${COMP_WORDS[i]}
         case $verb in queue|dead) ((i + 1 < COMP_CWORD)) && verb+=" ${COMP_WORDS[i+1]}" ;; esac
         break ;;
    esac
  done
)";

void bash_option(std::string& out, const Option& option) {
  if (option.is_flag()) return;
  std::string names = names_of(option);
  for (char& c : names) c = c == ' ' ? '|' : c;
  const std::string words = words_of(option.offer);
  if (option.offer == Offer::directories) {
    fmt::format_to(std::back_inserter(out), "        {}) COMPREPLY=($(compgen -d -- \"$word\")); return ;;\n", names);
  } else if (words.empty()) {
    fmt::format_to(std::back_inserter(out), "        {}) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n", names);
  } else {
    fmt::format_to(std::back_inserter(out), "        {}) COMPREPLY=($(compgen -W \"{}\" -- \"$word\")); return ;;\n",
                   names, words);
  }
}

void bash_verb(std::string& out, const DeclaredVerb& verb) {
  fmt::format_to(std::back_inserter(out), "    '{}')\n      case $before in\n", verb.entry->name);
  std::string options;
  for (const Option& option : verb.parameters.options()) {
    bash_option(out, option);
    options.append(options.empty() ? "" : " ").append(names_of(option));
  }
  const auto& positionals = verb.parameters.positionals();
  const std::string words = positionals.empty() ? "" : words_of(positionals.front().offer);
  const std::string action = words.empty() ? "-f" : fmt::format("-W \"{}\"", words);
  fmt::format_to(std::back_inserter(out),
                 "      esac\n"
                 "      if [[ $word == -* ]]; then COMPREPLY=($(compgen -W \"{}\" -- \"$word\"))\n"
                 "      else COMPREPLY=($(compgen {} -- \"$word\")); fi ;;\n",
                 options, action);
}

}  // namespace

std::string bash_completion(const std::vector<DeclaredVerb>& all) {
  std::string out(kBashHead);
  fmt::format_to(
      std::back_inserter(out),
      "  case $verb in\n"
      "    '') COMPREPLY=($(compgen -W \"{} -f --file --json -q --quiet --color --help --version\" -- \"$word\")) ;;\n",
      join(first_words()));
  for (const std::string_view first : first_words()) {
    const std::string seconds = second_words(first);
    if (seconds.empty()) continue;
    fmt::format_to(std::back_inserter(out), "    {}) COMPREPLY=($(compgen -W \"{}\" -- \"$word\")) ;;\n", first,
                   seconds);
  }
  for (const DeclaredVerb& verb : all) bash_verb(out, verb);
  return out + "  esac\n}\ncomplete -F _tq tq\n";
}

}  // namespace tq::cli
