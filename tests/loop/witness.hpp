// A pipe that tells whether all who were given its end have gone: whatever they did to be found by nobody, they have
// the descriptor.
#pragma once

#include "base/fail.hpp"
#include "base/fd.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <unistd.h>
#include <utility>

namespace tq::test {

// One thread at a time.
class Witness {
 public:
  Witness() {
    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    ours_ = base::Fd(ends[0]);
    theirs_ = base::Fd(ends[1]);
  }

  // The end that is given away, for good.
  base::Fd give() { return std::move(theirs_); }
  // The same, once more.
  base::Fd share() const { return base::Fd(::fcntl(theirs_.get(), F_DUPFD_CLOEXEC, 0)); }
  void say(const std::string& line) const { base::write_all(theirs_.get(), line + "\n", "pipe"); }
  void drop() { theirs_.reset(); }
  // Waits until somebody has written a line, and takes it.
  std::string line() {
    std::string line;
    for (char byte = 0; byte != '\n'; line += byte) {
      if (!wait()) throw std::runtime_error("nobody says anything");
      if (::read(ours_.get(), &byte, 1) != 1) throw std::runtime_error("all have gone, and said nothing");
    }
    line.pop_back();
    return line;
  }
  // Is there nobody who has the end, at this moment?
  bool all_are_gone() const { return poll(0) && has_ended(); }
  // Waits until nobody has the end; false if that never happens.
  bool wait_until_gone() {
    theirs_.reset();
    while (wait()) {
      char bytes[256];
      if (::read(ours_.get(), bytes, sizeof bytes) == 0) return true;
    }
    return false;
  }

 private:
  static constexpr int kPatienceMs = 60'000;

  bool poll(int timeout_ms) const {
    pollfd wanted{ours_.get(), POLLIN, 0};
    int count;
    do count = ::poll(&wanted, 1, timeout_ms);
    while (count < 0 && errno == EINTR);
    return count > 0;
  }
  bool wait() const { return poll(kPatienceMs); }
  bool has_ended() const {
    pollfd wanted{ours_.get(), POLLIN, 0};
    ::poll(&wanted, 1, 0);
    return (wanted.revents & POLLHUP) != 0;
  }

  base::Fd ours_;
  base::Fd theirs_;
};

}  // namespace tq::test
