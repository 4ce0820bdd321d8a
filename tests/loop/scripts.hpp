// Shell scripts for commands that do what a command line has too many quotes for.
#pragma once

#include "base/fd.hpp"
#include "support/temp_dir.hpp"

#include <fcntl.h>
#include <string>
#include <sys/stat.h>

namespace tq::test {

// Files that are there for one test. They find each other in $D, and two FIFOs, $D/fifo and $D/end, to wait for each other at:
// each once, for who reads one again may find the writer of before still there.
class Scripts {
 public:
  Scripts() {
    for (const char* const name : {"fifo", "end"}) {
      if (::mkfifo((directory_ / name).c_str(), 0600) != 0) base::throw_system("cannot make a FIFO", errno);
    }
  }

  // Returns its path.
  std::string add(const std::string& name, const std::string& text) const {
    const std::string path = directory_ / name;
    const base::Fd file = base::open_file(path, O_CREAT | O_WRONLY | O_TRUNC, 0700);
    base::write_all(file.get(), "#!/bin/sh\nD=" + directory_.path() + "; export D\n" + text + "\n", path);
    return path;
  }
  // A script that runs `daemon` in the background, as an orphan in a session of its own with an environment of its own, with
  // its standard input kept (where a witness is), and goes on when that has said `echo >$D/fifo`.
  std::string add_leaving(const std::string& name, const std::string& daemon, const std::string& then) const {
    const std::string path = add(name + "-daemon", daemon);
    return add(name, "exec 3<&0\nsetsid sh -c 'env -i " + path + " <&3 &'\nread line <$D/fifo\n" + then);
  }

 private:
  TempDir directory_;
};

}  // namespace tq::test
