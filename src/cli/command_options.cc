// What a command takes with it from the shell it was added in.
#include "base/fail.hpp"
#include "base/fd.hpp"
#include "cli/job_options.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::cli {
namespace {

using base::fail;
using Variables = std::vector<std::pair<std::string, std::string>>;

// What most commands need. The rest stays here, because it may hold secrets, and a store is a file that people copy.
bool is_always_taken(std::string_view name) {
  for (const std::string_view taken : {"PATH", "HOME", "USER", "LANG", "TZ", "TERM", "SHELL"}) {
    if (name == taken) return true;
  }
  return name.starts_with("LC_");
}

void set_variable(Variables& variables, std::string_view name, std::string_view value) {
  const auto found =
      std::find_if(variables.begin(), variables.end(), [&](const auto& one) { return one.first == name; });
  if (found == variables.end()) {
    variables.emplace_back(name, value);
  } else {
    found->second = value;
  }
}

// A chunk at a time, so that an endless input ends at the limit and not with the memory.
std::string read_limited(int fd, const std::string& name) {
  constexpr std::size_t kChunk = 1 << 16;
  std::string bytes;
  for (std::size_t size = 0;; size = bytes.size()) {
    bytes.resize(size + kChunk);
    const ssize_t count = ::read(fd, bytes.data() + size, kChunk);
    if (count < 0 && errno != EINTR) base::throw_system("cannot read " + name, errno);
    bytes.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count == 0) return bytes;
    if (bytes.size() > kMaxBlobBytes) {
      fail<InvalidArgument>("{} has more than {} bytes: at most that many are allowed", name, kMaxBlobBytes);
    }
  }
}

}  // namespace

std::string read_input(const std::string& name) {
  if (name == "-") return read_limited(STDIN_FILENO, "the standard input");
  const base::Fd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) fail<InvalidArgument>("cannot open '{}': {}", name, base::system_reason(errno));
  struct stat status {};
  if (::fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode)) fail<InvalidArgument>("'{}' is a directory", name);
  return read_limited(fd.get(), fmt::format("'{}'", name));
}

void CommandOptions::declare(Parameters& parameters) {
  parameters.each(
      "--env", "NAME[=VALUE]", [this](const std::string& text) { env_.push_back(text); },
      "take this variable along, with its value here if none is given");
  parameters.flag("--env-all", env_all_, "take the whole environment along: it is stored in the file");
  parameters.option("--cwd", "DIR", cwd_, "run it there (here)", Offer::directories);
  parameters.option("--stdin", "FILE", stdin_, "what it reads on its standard input; - for that of tq", Offer::files);
  parameters.command(argv_);
}

std::vector<std::pair<std::string, std::string>> CommandOptions::environment() const {
  Variables variables;
  for (char** entry = ::environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::size_t equals = text.find('=');
    if (equals == text.npos || equals == 0) continue;
    const std::string_view name = text.substr(0, equals);
    if (env_all_ || is_always_taken(name)) set_variable(variables, name, text.substr(equals + 1));
  }
  for (const std::string& wanted : env_) {
    const std::size_t equals = wanted.find('=');
    const std::string name = wanted.substr(0, equals);
    if (name.empty()) fail<InvalidArgument>("--env: '{}' has no name: write NAME or NAME=VALUE", wanted);
    const char* const value = equals == wanted.npos ? std::getenv(name.c_str()) : wanted.c_str() + equals + 1;
    if (value == nullptr) fail<InvalidArgument>("--env: '{}' is not set here: write {}=VALUE", name, name);
    set_variable(variables, name, value);
  }
  return variables;
}

std::string CommandOptions::directory() const {
  if (cwd_ && cwd_->starts_with('/')) return *cwd_;
  if (cwd_ && cwd_->empty()) fail<InvalidArgument>("--cwd: the name is empty: write a directory");
  std::error_code error;
  const auto here = std::filesystem::current_path(error);
  if (error) {
    fail<InvalidArgument>("the current directory is gone ({}): use --cwd DIR", base::system_reason(error.value()));
  }
  return cwd_ ? (here / *cwd_).lexically_normal() : here;
}

Command CommandOptions::command() const {
  Command command;
  command.argv = argv_;
  command.env = environment();
  command.cwd = directory();
  if (stdin_) command.stdin_data = read_input(*stdin_);
  return command;
}

}  // namespace tq::cli
