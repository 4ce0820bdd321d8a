#include "cli/output.hpp"

#include "base/fail.hpp"
#include "base/text.hpp"

#include <cerrno>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <poll.h>
#include <unistd.h>

namespace tq::cli {
namespace {

constexpr std::size_t kBufferBytes = 1 << 16;

void wait_until_writable(int fd) {
  pollfd entry{fd, POLLOUT, 0};
  ::poll(&entry, 1, -1);
}

}  // namespace

void Output::write(std::string_view bytes) {
  buffer_ += bytes;
  if (buffer_.size() >= kBufferBytes) flush();
}

void Output::line(std::string_view text) {
  buffer_ += text;
  write("\n");
}

void Output::flush() {
  std::string_view left = buffer_;
  while (!left.empty()) {
    const ssize_t written = ::write(fd_, left.data(), left.size());
    if (written >= 0) {
      left.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      buffer_.clear();
      throw OutputClosed();
    } else if (errno == EAGAIN) {
      wait_until_writable(fd_);  // whoever gave us the descriptor has made it non-blocking
    } else if (errno != EINTR) {
      buffer_.clear();
      base::throw_system("cannot write to the standard output", errno);
    }
  }
  buffer_.clear();
}

std::string printable(std::string_view text) {
  std::string out;
  const std::string clean = base::shorten(text, std::numeric_limits<std::size_t>::max());
  for (std::size_t i = 0; i < clean.size(); ++i) {
    const auto c = static_cast<unsigned char>(clean[i]);
    // U+0080 to U+009F: some terminals take U+009B for the beginning of an escape sequence.
    const bool is_c1 = c == 0xc2 && i + 1 < clean.size() && static_cast<unsigned char>(clean[i + 1]) < 0xa0;
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (is_c1) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(clean[++i]));
    } else if (c < 0x20 || c == 0x7f) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", c);
    } else {
      out += clean[i];
    }
  }
  return out;
}

}  // namespace tq::cli
