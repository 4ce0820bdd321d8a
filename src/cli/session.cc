#include "cli/session.hpp"

#include "base/fail.hpp"
#include "cli/fault.hpp"

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace tq::cli {
namespace {

When read_when(const std::string& text) {
  if (text == "auto") return When::automatic;
  if (text == "always") return When::always;
  if (text == "never") return When::never;
  base::fail<InvalidArgument>("'{}' is not known: write auto, always or never", text);
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// --file, else $TQ_FILE, else where the XDG rules put state. An empty variable counts as none.
std::filesystem::path locate(const std::optional<std::string>& file) {
  if (file) {
    if (file->empty()) base::fail<InvalidArgument>("--file: the name is empty: write the path of a store");
    return *file;
  }
  if (const std::string named = variable("TQ_FILE"); !named.empty()) return named;
  if (const std::string state = variable("XDG_STATE_HOME"); !state.empty()) return state + "/tq/default.tq";
  const std::string home = variable("HOME");
  if (home.empty()) base::fail<InvalidArgument>("it is not known where the store is: use --file, TQ_FILE or HOME");
  return home + "/.local/state/tq/default.tq";
}

// In one write, so that the lines of several threads and processes stay whole. If even that fails, nobody can be told.
void write_line(std::string_view line) {
  const std::string whole = fmt::format("{}\n", line);
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, whole.data(), whole.size());
}

}  // namespace

void Globals::declare(Parameters& parameters, bool short_file) {
  parameters.option(short_file ? "-f,--file" : "--file", "FILE", file,
                    "the store ($TQ_FILE, else ~/.local/state/tq/default.tq)", Offer::files);
  parameters.flag("--json", json, "print one JSON object a line");
  parameters.flag("-q,--quiet", quiet, "print data only");
  parameters.option(
      "--color", "WHEN", [this](const std::string& text) { colours = read_when(text); }, "auto, always or never");
  parameters.flag("-h,--help", help, "print this");
}

Session::Session(const Globals& globals)
    : globals_(globals),
      out_terminal_(Terminal::of(STDOUT_FILENO, globals.colours)),
      err_terminal_(Terminal::of(STDERR_FILENO, globals.colours)),
      out_(STDOUT_FILENO) {}

TaskQueue& Session::open(bool create) {
  if (!store_) {
    OpenOptions options;
    options.create = create;
    const std::filesystem::path path = locate(globals_.file);
    name_store(path.native());
    store_.emplace(path, options);
  }
  return *store_;
}

TaskQueue& Session::store() {
  try {
    return open(false);
  } catch (const NotFound& error) {
    base::fail<NotFound>("{} ('tq add' makes one; --file or TQ_FILE name another)", error.what());
  }
}
TaskQueue& Session::store_to_write() { return open(true); }

std::filesystem::path Session::path() const { return locate(globals_.file); }

void Session::words(std::string_view line) const {
  if (!quiet()) write_line(line);
}

void Session::confirm(std::string_view line) const {
  if (err_terminal_.is_terminal) words(line);
}

void complain(std::string_view text) { write_line(fmt::format("tq: {}", printable(text))); }

}  // namespace tq::cli
