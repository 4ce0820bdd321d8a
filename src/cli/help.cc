#include "cli/help.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>

namespace tq::cli {
namespace {

// "-Q, --queue QUEUE", long names under each other.
std::string left_side(const Option& option) {
  const std::string_view short_name = option.short_name();
  const std::string_view long_name = option.long_name();
  std::string text = short_name.empty() ? "    " : std::string(short_name);
  if (long_name != short_name) text.append(short_name.empty() ? "" : ", ").append(long_name);
  if (!option.is_flag()) text.append(" ").append(option.value);
  return text;
}

void print_options(std::string& text, const Parameters& parameters) {
  constexpr std::size_t kWidest = 30;
  std::size_t width = 0;
  for (const Option& option : parameters.options()) width = std::max(width, left_side(option).size());
  width = std::min(width, kWidest);
  for (const Option& option : parameters.options()) {
    const std::string left = left_side(option);
    const std::string gap =
        left.size() > width ? '\n' + std::string(width + 4, ' ') : std::string(width + 2 - left.size(), ' ');
    fmt::format_to(std::back_inserter(text), "  {}{}{}\n", left, gap, option.help);
  }
}

void print_indented(std::string& text, std::string_view lines) {
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    fmt::format_to(std::back_inserter(text), "  {}\n", lines.substr(0, end));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
}

constexpr std::array<std::pair<Group, std::string_view>, 5> kGroups{{{Group::adding, "Adding jobs"},
                                                                     {Group::looking, "Looking"},
                                                                     {Group::steering, "Steering"},
                                                                     {Group::running, "Running"},
                                                                     {Group::upkeep, "Looking after the store"}}};

}  // namespace

std::string usage(const VerbEntry& verb, const Parameters& own) {
  std::string text = fmt::format("tq {}", verb.name);
  if (!own.options().empty()) text += " [OPTION...]";
  for (const Positional& positional : own.positionals()) {
    const std::string name = fmt::format("{}{}", positional.name, positional.is_repeatable ? "..." : "");
    text += positional.is_required ? " " + name : fmt::format(" [{}]", name);
  }
  return own.command() == nullptr ? text : text + " [--] COMMAND [ARG...]";
}

std::string help(const VerbEntry& verb, const Parameters& own, const Parameters& everywhere) {
  std::string summary(verb.summary);
  summary.front() = static_cast<char>(summary.front() - 'a' + 'A');
  std::string text = fmt::format("{}\n\n  {}.\n", usage(verb, own), summary);
  if (!verb.details.empty()) {
    text += "\n";
    print_indented(text, verb.details);
  }
  if (!own.options().empty()) {
    text += "\nOptions:\n";
    print_options(text, own);
  }
  text += "\nOptions of every command:\n";
  print_options(text, everywhere);
  text += "\nExample:\n";
  print_indented(text, verb.example);
  return text;
}

std::string help() {
  std::string text =
      "tq [-f FILE] [--json] [-q] [--color WHEN] COMMAND ...\n\n"
      "  A durable queue of jobs in one file, without a server.\n";
  for (const auto& [group, title] : kGroups) {
    fmt::format_to(std::back_inserter(text), "\n{}:\n", title);
    for (const VerbEntry& verb : verbs()) {
      if (verb.group == group) fmt::format_to(std::back_inserter(text), "  {:14} {}\n", verb.name, verb.summary);
    }
  }
  text +=
      "\nExample:\n"
      "  tq add -- make -C project\n"
      "  tq worker --drain\n"
      "\n'tq COMMAND --help' says more about each.\n";
  return text;
}

}  // namespace tq::cli
