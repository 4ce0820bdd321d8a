#include "cli/lines.hpp"

#include "base/fail.hpp"

#include <cerrno>
#include <cstring>
#include <poll.h>
#include <unistd.h>

namespace tq::cli {
namespace {

constexpr std::size_t kChunk = 1 << 18;
constexpr int kSlowMs = 1000;

}  // namespace

std::optional<std::string_view> Lines::next() {
  for (std::size_t searched = begin_;;) {
    const std::size_t end = buffer_.find('\n', searched);
    if (end != buffer_.npos) {
      const std::string_view line = std::string_view(buffer_).substr(begin_, end - begin_);
      begin_ = end + 1;
      return line;
    }
    const std::size_t known = buffer_.size() - begin_;
    if (known > longest_) base::fail<InvalidArgument>("{} has a line of more than {} bytes", name_, longest_);
    if (!read_more()) break;
    searched = begin_ + known;
  }
  if (begin_ == buffer_.size()) return std::nullopt;
  const std::string_view line = std::string_view(buffer_).substr(begin_);
  begin_ = buffer_.size();
  return line;
}

bool Lines::is_slow() const {
  if (at_end_ || buffer_.find('\n', begin_) != buffer_.npos) return false;
  pollfd entry{fd_, POLLIN, 0};
  return ::poll(&entry, 1, kSlowMs) == 0;
}

// False at the end of the file.
bool Lines::read_more() {
  if (at_end_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t size = buffer_.size();
  buffer_.resize(size + kChunk);
  ssize_t count = -1;
  do {
    count = ::read(fd_, buffer_.data() + size, kChunk);
  } while (count < 0 && errno == EINTR);
  const int error = errno;
  buffer_.resize(size + static_cast<std::size_t>(count < 0 ? 0 : count));
  if (count < 0) base::throw_system("cannot read " + name_, error);
  at_end_ = count == 0;
  return !at_end_;
}

}  // namespace tq::cli
