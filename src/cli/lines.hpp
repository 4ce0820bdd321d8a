// The lines of a file or pipe, however long it is.
#pragma once

#include <tq/types.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tq::cli {

// One thread at a time.
class Lines {
 public:
  // Reads from `fd`, which it does not own; `name` is for the text of errors.
  Lines(int fd, std::string name, std::size_t longest = kLongestJob)
      : fd_(fd), name_(std::move(name)), longest_(longest) {}

  // The largest payload, as base64, with room for the rest.
  static constexpr std::size_t kLongestJob = kMaxBlobBytes / 3 * 4 + (std::size_t{1} << 20);

  // The next line without its end, until the next call; nothing at the end. Throws IoError, and InvalidArgument for a line
  // that is longer than `longest`.
  std::optional<std::string_view> next();
  // Whether next() would wait for more than about a second: whoever writes takes their time.
  bool is_slow() const;

 private:
  bool read_more();

  int fd_;
  std::string name_;
  const std::size_t longest_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what has not been returned
  bool at_end_ = false;
};

}  // namespace tq::cli
