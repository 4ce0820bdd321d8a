#include "cli/parameters.hpp"

namespace tq::cli {

std::string_view Option::long_name() const {
  const std::size_t dashes = names.find("--");
  return dashes == names.npos ? names : names.substr(dashes);
}

std::string_view Option::short_name() const {
  return names.starts_with("--") ? std::string_view() : names.substr(0, 2);
}

const Option* Parameters::find(std::string_view name) const {
  for (const Option& option : options_) {
    if (option.long_name() == name || option.short_name() == name) return &option;
  }
  return nullptr;
}

}  // namespace tq::cli
