// What one run of `tq` has in hand: the options that every verb takes, the store, and where data and words go.
#pragma once

#include "cli/exit_code.hpp"
#include "cli/output.hpp"
#include "cli/parameters.hpp"
#include "cli/terminal.hpp"

#include <tq/task_queue.hpp>

#include <fmt/core.h>
#include <optional>
#include <string>
#include <string_view>

namespace tq::cli {

// The options that every verb takes.
struct Globals {
  std::optional<std::string> file;
  bool json = false;
  bool quiet = false;
  bool help = false;
  bool version = false;
  When colours = When::automatic;

  // With `short_file`, -f is the store; `log` and `events` use the letter for themselves once they have been named.
  void declare(Parameters& parameters, bool short_file);
};

// One thread at a time, but for words(), which any thread may call.
class Session {
 public:
  explicit Session(const Globals& globals);

  bool json() const { return globals_.json; }
  bool quiet() const { return globals_.quiet; }
  const Terminal& out_terminal() const { return out_terminal_; }
  const Terminal& err_terminal() const { return err_terminal_; }
  Output& out() { return out_; }

  // The store, which must be there: throws NotFound.
  TaskQueue& store();
  // The store, created if it is missing.
  TaskQueue& store_to_write();

  // Where the store is, or would be.
  std::filesystem::path path() const;

  // A line to stderr, unless --quiet was given.
  void words(std::string_view line) const;
  // The same, but only for a person who looks: scripts need no confirmation of what the exit code says.
  void confirm(std::string_view line) const;

 private:
  TaskQueue& open(bool create);

  const Globals globals_;
  const Terminal out_terminal_;
  const Terminal err_terminal_;
  Output out_;
  std::optional<TaskQueue> store_;
};

// A line to stderr that no option silences: "tq: ...".
void complain(std::string_view text);

// Does `action` for each id; what is refused for one is said, and the others have their turn. Returns the exit code of
// the first refusal.
template <class Ids, class Action>
int for_each_job(const Ids& ids, Action action) {
  int code = kDone;
  const auto refused = [&code](const Error& error) {
    complain(error.what());
    if (code == kDone) code = exit_code_of(error);
  };
  for (const JobId id : ids) {
    try {
      action(id);
    } catch (const NotFound& error) {
      refused(error);
    } catch (const Conflict& error) {
      refused(error);
    } catch (const QueueFull& error) {
      refused(error);
    }
  }
  return code;
}

}  // namespace tq::cli
