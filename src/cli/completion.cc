#include "cli/completion.hpp"

namespace tq::cli {
namespace {

std::string state_names() {
  std::vector<std::string_view> names;
  for (std::size_t i = 1; i < kStateCount; ++i) names.push_back(to_string(static_cast<State>(i)));
  return join(names);
}

std::string event_names() {
  std::vector<std::string_view> names;
  const auto last = static_cast<std::uint8_t>(EventType::worker_died);
  for (std::uint8_t i = 1; i <= last; ++i) names.push_back(to_string(static_cast<EventType>(i)));
  return join(names);
}

}  // namespace

std::string join(const std::vector<std::string_view>& words) {
  std::string text;
  for (const std::string_view word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

std::string words_of(Offer offer) {
  switch (offer) {
    case Offer::jobs:
      return "$(tq ls -q --limit 50 2>/dev/null)";
    case Offer::queues:
      return "$(tq queue ls -q 2>/dev/null)";
    case Offer::states:
      return state_names();
    case Offer::event_types:
      return event_names();
    default:
      return "";
  }
}

std::vector<std::string_view> first_words() {
  std::vector<std::string_view> words;
  for (const VerbEntry& verb : verbs()) {
    const std::string_view word = verb.name.substr(0, verb.name.find(' '));
    if (words.empty() || words.back() != word) words.push_back(word);
  }
  return words;
}

std::string second_words(std::string_view first) {
  std::vector<std::string_view> words;
  for (const VerbEntry& verb : verbs()) {
    const std::size_t blank = verb.name.find(' ');
    if (blank != verb.name.npos && verb.name.substr(0, blank) == first) words.push_back(verb.name.substr(blank + 1));
  }
  return join(words);
}

}  // namespace tq::cli
