// A program, run as a user would: with arguments, an environment, a directory, and something at each of its descriptors.
#pragma once

#include "base/fd.hpp"

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tq::test {

// How a program ended, with all that it wrote.
struct Ended {
  int code = 0;  // 128 + the signal that ended it
  std::string out;
  std::string err;
};
std::ostream& operator<<(std::ostream& stream, const Ended& ended);

// What its standard output is: something that is read here, nothing at all, a full device, a pipe that nobody reads, or
// a terminal, which is then its standard error as well.
enum class Stdout { piped, closed, full, unread, terminal };
// Its standard input: what is given, then the end; or nothing at all.
enum class Stdin { given, closed };

struct Start {
  std::vector<std::string> argv;
  std::map<std::string, std::string> env;
  std::string cwd = "/";
  std::string input;
  Stdin standard_input = Stdin::given;
  Stdout standard_output = Stdout::piped;
  bool as_nobody = false;       // without the rights of root
  bool in_removed_cwd = false;  // the directory is removed before the program begins
  std::size_t columns = 80;     // of a terminal
};

// One that runs. Killed if the test ends first. A test that waits for a minute in vain is failed.
class Process {
 public:
  explicit Process(Start start);
  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&&) = delete;

  pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Gives it more on its standard input, which then stays open until finish().
  void write(const std::string& text);
  // Reads until its output has `text`; returns all there is so far.
  const std::string& read_until(const std::string& text);
  // The same of its standard error.
  const std::string& read_errors_until(const std::string& text);
  // Reads to the end and waits for it.
  Ended finish();

 private:
  bool read_some(bool or_room_to_write = false);

  pid_t pid_ = -1;
  base::Fd in_;
  base::Fd out_;
  base::Fd err_;
  Ended ended_;
};

}  // namespace tq::test
