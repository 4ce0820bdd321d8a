#include "cli/fault.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fmt/core.h>
#include <unistd.h>

namespace tq::cli {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

char sentence[8192];  // made beforehand: in the handler nothing may be formatted
std::atomic<std::size_t> sentence_size = 0;
std::atomic<int> code = 0;

void end(int signal) {
  const std::size_t size = sentence_size.load();
  if (size == 0) {
    ::raise(signal);  // the handler was reset: an error of tq's own, and no store to blame
    return;
  }
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, sentence, size);
  ::_exit(code.load());
}

}  // namespace

void expect_faults(int exit_code) {
  if (kSanitized) return;
  code = exit_code;
  struct sigaction action {};
  action.sa_handler = end;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT}) ::sigaction(signal, &action, nullptr);
}

void name_store(const std::string& path) {
  const std::string text = fmt::format(
      "tq: a fault while using '{}': most likely it is damaged, and 'tq check --deep' says how; else this is an "
      "error in tq\n",
      path);
  if (text.size() > sizeof sentence) return;
  std::copy(text.begin(), text.end(), sentence);
  sentence_size = text.size();
}

}  // namespace tq::cli
