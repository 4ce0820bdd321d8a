#include "cli/process.hpp"

#include "base/fail.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <ostream>
#include <poll.h>
#include <stdexcept>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

namespace tq::test {
namespace {

constexpr int kPatienceMs = 60'000;
constexpr uid_t kNobody = 65534;

struct Pipe {
  base::Fd read;
  base::Fd write;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) base::throw_system("cannot make a pipe", errno);
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

// The master and the slave.
Pipe make_terminal(std::size_t columns) {
  Pipe ends;
  ends.read = base::Fd(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!ends.read || ::grantpt(ends.read.get()) != 0 || ::unlockpt(ends.read.get()) != 0) {
    base::throw_system("cannot make a terminal", errno);
  }
  ends.write = base::open_file(::ptsname(ends.read.get()), O_RDWR | O_NOCTTY);
  winsize size{};
  size.ws_row = 24;
  size.ws_col = static_cast<unsigned short>(columns);
  ::ioctl(ends.write.get(), TIOCSWINSZ, &size);
  termios modes{};
  ::tcgetattr(ends.write.get(), &modes);
  modes.c_oflag &= ~static_cast<tcflag_t>(OPOST);  // bytes as they are written
  ::tcsetattr(ends.write.get(), TCSANOW, &modes);
  return ends;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

void use_as(int fd, int standard) {
  if (fd < 0) {
    ::close(standard);
  } else {
    ::dup2(fd, standard);
  }
}

// In the child, between fork and exec: system calls only.
[[noreturn]] void become(const Start& start, const std::array<int, 3>& standard, char* const* argv, char* const* env) {
  for (int fd = 0; fd < 3; ++fd) use_as(standard[static_cast<std::size_t>(fd)], fd);
  std::signal(SIGPIPE, SIG_DFL);
  if (::chdir(start.cwd.c_str()) != 0) ::_exit(99);
  if (start.in_removed_cwd && ::rmdir(start.cwd.c_str()) != 0) ::_exit(99);
  if (start.as_nobody && ::geteuid() == 0 && ::setuid(kNobody) != 0) ::_exit(99);
  ::execve(argv[0], argv, env);
  ::_exit(99);
}

}  // namespace

std::ostream& operator<<(std::ostream& stream, const Ended& ended) {
  return stream << "exit code " << ended.code << "\nstdout:\n" << ended.out << "stderr:\n" << ended.err;
}

Process::Process(Start start) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : start.env) variables.push_back(name + '=' + value);
  const auto argv = pointers(start.argv);
  const auto env = pointers(variables);
  Pipe in = make_pipe();
  Pipe err = make_pipe();
  Pipe out = start.standard_output == Stdout::terminal ? make_terminal(start.columns) : make_pipe();
  std::array<int, 3> standard{in.read.get(), out.write.get(), err.write.get()};
  base::Fd full;
  if (start.standard_input == Stdin::closed) standard[0] = -1;
  if (start.standard_output == Stdout::closed) standard[1] = -1;
  if (start.standard_output == Stdout::terminal) standard[2] = standard[1];
  if (start.standard_output == Stdout::unread) out.read.reset();
  if (start.standard_output == Stdout::full) {
    full = base::open_file("/dev/full", O_WRONLY);
    standard[1] = full.get();
  }
  pid_ = ::fork();
  if (pid_ == 0) become(start, standard, argv.data(), env.data());
  if (pid_ < 0) base::throw_system("cannot fork", errno);
  in_ = std::move(in.write);
  out_ = std::move(out.read);
  err_ = std::move(err.read);
  std::signal(SIGPIPE, SIG_IGN);  // it need not read all that it is given
  if (!start.input.empty()) write(start.input);
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      in_(std::move(other.in_)),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)),
      ended_(std::move(other.ended_)) {}

Process::~Process() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::signal(int number) const { ::kill(pid_, number); }

// What it writes meanwhile is read, so that neither waits for the other.
void Process::write(const std::string& text) {
  ::fcntl(in_.get(), F_SETFL, O_NONBLOCK);
  for (std::string_view left = text; !left.empty();) {
    const ssize_t count = ::write(in_.get(), left.data(), left.size());
    if (count > 0) {
      left.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EAGAIN) {
      if (!read_some(true)) return;
    } else {
      return;
    }
  }
}

// Waits for something to happen at any descriptor; false when both outputs have come to their end.
bool Process::read_some(bool or_room_to_write) {
  std::array<pollfd, 3> entries{{{out_.get(), POLLIN, 0},
                                 {err_.get(), POLLIN, 0},
                                 {in_.get(), static_cast<short>(or_room_to_write ? POLLOUT : 0), 0}}};
  if (!out_ && !err_) return false;
  if (::poll(entries.data(), entries.size(), kPatienceMs) == 0) {
    throw std::runtime_error("a program does nothing for a minute\n" + ended_.out + ended_.err);
  }
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    base::Fd& fd = i == 0 ? out_ : err_;
    if (entries[i].revents == 0) continue;
    std::array<char, 65536> bytes;
    const ssize_t count = ::read(fd.get(), bytes.data(), bytes.size());
    // A terminal says EIO when its last user has closed it.
    if (count <= 0) {
      fd.reset();
    } else {
      (i == 0 ? ended_.out : ended_.err).append(bytes.data(), static_cast<std::size_t>(count));
    }
  }
  return true;
}

const std::string& Process::read_until(const std::string& text) {
  while (ended_.out.find(text) == std::string::npos) {
    if (!read_some()) throw std::runtime_error("it ended without '" + text + "'\n" + ended_.out + ended_.err);
  }
  return ended_.out;
}

const std::string& Process::read_errors_until(const std::string& text) {
  while (ended_.err.find(text) == std::string::npos) {
    if (!read_some()) throw std::runtime_error("it ended without '" + text + "'\n" + ended_.out + ended_.err);
  }
  return ended_.err;
}

Ended Process::finish() {
  in_.reset();
  while (read_some()) {
  }
  int status = 0;
  ::waitpid(std::exchange(pid_, -1), &status, 0);
  ended_.code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return ended_;
}

}  // namespace tq::test
