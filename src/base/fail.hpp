// How failures are raised: one call that names the operation, the object and the reason; and the assertion, on in release.
#pragma once

#include <tq/error.hpp>

#include <fmt/core.h>

#include <string>
#include <utility>

namespace tq::base {

// Throws IoError (DiskFull for ENOSPC and EDQUOT) with "<what>: <the system's reason>".
[[noreturn]] void throw_system(const std::string& what, int code);

// The system's text for an errno.
std::string system_reason(int code);

template <class Exception, class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
  throw Exception(fmt::format(text, std::forward<Args>(args)...));
}

// Prints the broken assumption and aborts: a bug must not go on writing to somebody's file.
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace tq::base

#define TQ_ASSERT(expression) \
  ((expression) ? static_cast<void>(0) : ::tq::base::assertion_failed(#expression, __FILE__, __LINE__))
