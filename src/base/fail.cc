#include "base/fail.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace tq::base {

std::string system_reason(int code) { return std::generic_category().message(code); }

void throw_system(const std::string& what, int code) {
  const std::string text = fmt::format("{}: {}", what, system_reason(code));
  if (code == ENOSPC || code == EDQUOT) throw DiskFull(text, code);
  throw IoError(text, code);
}

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "tq: bug: '%s' does not hold at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace tq::base
