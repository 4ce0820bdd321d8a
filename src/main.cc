// The `tq` command: what a process has to set up before anything else runs.
#include "cli/app.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <initializer_list>

namespace {

// A descriptor that was closed would be given to the next file that is opened: words and data would then go into the store. The
// wrong way round, so that using it is still the error that it was.
void keep_standard_descriptors() {
  for (const int fd : {0, 1, 2}) {
    const bool is_closed = ::fcntl(fd, F_GETFD) == -1 && errno == EBADF;
    if (is_closed && ::open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd) return;
  }
}

}  // namespace

int main(int argc, char** argv) {
  keep_standard_descriptors();
  // Both are told as errors of a write instead: a reader that went away, a file that may not grow further.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  return tq::cli::run(argc, argv);
}
