// From words to values, by what was declared.
#pragma once

#include "cli/parameters.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tq::cli {

// How many words at the beginning are options, with their values.
std::size_t leading_options(const Parameters& parameters, const std::vector<std::string>& words);

// Hands each word to where it belongs and returns the name of the first required argument that was not given, or "": no
// error yet, because help may have been asked for. Throws InvalidArgument that names the option, what is wrong, and what
// would be right.
std::string_view parse(const Parameters& parameters, std::vector<std::string> words);

}  // namespace tq::cli
