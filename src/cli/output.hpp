// Where data goes: standard output, buffered, with every failure to write noticed.
#pragma once

#include <string>
#include <string_view>

namespace tq::cli {

// Nobody reads the standard output any more (`tq ls | head -1`). Not an error: the command just ends.
struct OutputClosed {};

// One thread at a time.
class Output {
 public:
  explicit Output(int fd) : fd_(fd) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view bytes);
  void line(std::string_view text);
  // Hands everything to the system. Throws OutputClosed, or IoError for any other failure. What has not been handed over when
  // this object ends is dropped: whoever ends well has called this.
  void flush();

 private:
  int fd_;
  std::string buffer_;
};

// Text that a terminal can stand: control characters as \n or \x1b, what is not UTF-8 as U+FFFD.
std::string printable(std::string_view text);

}  // namespace tq::cli
