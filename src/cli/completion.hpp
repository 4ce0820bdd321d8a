// Shell completion, made of the same declarations as everything else. Jobs and queues are asked of `tq` itself, which says
// nothing if there is no store.
#pragma once

#include "cli/verbs.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tq::cli {

// A verb with all that it takes, its own and everybody's.
struct DeclaredVerb {
  const VerbEntry* entry;
  Parameters parameters;
};

std::string bash_completion(const std::vector<DeclaredVerb>& all);
std::string zsh_completion(const std::vector<DeclaredVerb>& all);
std::string fish_completion(const std::vector<DeclaredVerb>& all);

// --- for those three ----------------------------------------------------------------------------------------------------

// The words that may come, as a shell spells them; empty for what shells find themselves.
std::string words_of(Offer offer);
// "add", "queue": each once.
std::vector<std::string_view> first_words();
// "ls show set" for "queue"; empty for a verb of one word.
std::string second_words(std::string_view first);
// "a b"
std::string join(const std::vector<std::string_view>& words);

}  // namespace tq::cli
