// A directory with one store in it, and the real `tq` (the program that TQ_BIN names) to use it with.
#pragma once

#include "cli/process.hpp"
#include "support/temp_dir.hpp"

#include <tq/tq.hpp>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace tq::test {

using Words = std::vector<std::string>;

// When it ends, the store is checked.
class Sandbox {
 public:
  Sandbox();
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  // The environment of what is started: PATH, HOME, TZ=UTC and TQ_FILE at first.
  std::map<std::string, std::string> env;
  std::string path(std::string_view name) const { return dir_ / name; }
  std::string store() const { return env.at("TQ_FILE"); }
  void write(std::string_view name, const std::string& bytes) const;
  std::string read(std::string_view name) const;

  // How `tq` would be started with these arguments; to be changed at will.
  Start how(Words arguments, std::string input = {}) const;
  Process start(Words arguments, std::string input = {}) const { return Process(how(std::move(arguments), input)); }
  Ended tq(Words arguments, std::string input = {}) const { return start(std::move(arguments), input).finish(); }
  // The same of what must go well: returns what it printed.
  std::string ok(Words arguments, std::string input = {}) const;
  // Adds a command for a shell and returns its id.
  std::string add_sh(const std::string& script, Words options = {}) const;
  // Runs all that can be run now.
  void drain() const;
  // Runs jobs of a task in this process until none is left.
  void drain_task(const std::string& task, Handler handler) const;
  // Waits until the event log has an event of that type, after the one with that number.
  void wait_for(const std::string& type, EventSeq after = 0) const;

  bool checks_at_end = true;

 private:
  TempDir dir_;
};

// A worker in the background; stopped when the test ends.
class BackgroundWorker {
 public:
  explicit BackgroundWorker(const Sandbox& sandbox, Words options = {});
  ~BackgroundWorker();
  Process& process() { return process_; }

 private:
  EventSeq before_ = 0;  // the newest event before it
  Process process_;
};

// Both of them with all that the program printed, if they do not hold.
#define TQ_CHECK_ENDED(ended, expected_code)       \
  do {                                             \
    const auto& ended_ref = (ended);               \
    BOOST_TEST_INFO(ended_ref);                    \
    BOOST_TEST(ended_ref.code == (expected_code)); \
  } while (false)

// The program ends with `code` and says `words` on stderr, in one line, and nothing on stdout.
void check_refused(const Ended& ended, int code, const std::string& words);
// The lines of a text.
Words lines(const std::string& text);
bool contains(const std::string& text, std::string_view part);

}  // namespace tq::test
