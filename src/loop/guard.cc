#include "loop/guard.hpp"

#include "base/fail.hpp"
#include "guard/processes.hpp"
#include "guard/protocol.hpp"
#include "loop/guard_process.hpp"
#include "loop/watch.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tq::loop {
namespace {

using guard::Report;
using guard::Request;
using guard::Verb;
using guard::What;

// One noisy command must not starve the others: so much is read of it at a time.
constexpr std::size_t kReadBytes = 64 * 1024;

struct Pipe {
  base::Fd read;
  base::Fd write;
};

Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) base::throw_system("cannot make a pipe for a command", errno);
  Pipe made{base::Fd(ends[0]), base::Fd(ends[1])};
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);  // our end only: commands expect theirs to block
  return made;
}

std::string make_body(const ChildSpec& spec, const std::string& marker) {
  std::string body = spec.cwd;
  body += '\0';
  for (const std::string& argument : spec.argv) body.append(argument) += '\0';
  for (const auto& [name, value] : spec.env) body.append(name).append("=").append(value) += '\0';
  body.append(marker) += '\0';
  return body;
}

base::Fd file_in_memory(const std::string& bytes) {
  base::Fd memory(::memfd_create("tq-command", MFD_CLOEXEC));
  if (!memory) base::throw_system("cannot make a file in memory for a command", errno);
  base::write_all(memory.get(), bytes, "a command's arguments");
  return memory;
}

std::string failure(const Report& report, const std::string& name, const std::string& cwd) {
  const std::string reason = base::system_reason(report.code);
  if (report.what == What::no_directory) return fmt::format("cannot change to the directory '{}': {}", cwd, reason);
  if (report.what == What::not_started) return fmt::format("cannot start '{}': {}", name, reason);
  if (report.code == ENOENT) return fmt::format("cannot run '{}': no such command, or no such interpreter", name);
  return fmt::format("cannot run '{}': {}", name, reason);
}

}  // namespace

int ChildExit::exit_code() const {
  switch (kind) {
    case Kind::exited:
      return code;
    case Kind::signalled:
      return 128 + code;
    case Kind::not_started:
      return code == ENOENT || code == ENOTDIR ? 127 : 126;
    case Kind::lost:
      break;
  }
  return 125;
}

struct Guard::Impl {
  struct Child {
    std::string name;
    std::string cwd;
    std::array<base::Fd, 2> pipes;  // standard output, standard error
    std::array<std::unique_ptr<Watch>, 2> watches;
    std::function<void(Stream, std::string_view)> output;
    std::function<void(ChildExit)> ended;
  };

  Impl(EventLoop& event_loop, Options given) : loop(event_loop), options(std::move(given)), process(options) {
    // What is left of its commands becomes ours, should somebody kill the guard.
    if (options.own_process) ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    watch = std::make_unique<Watch>(loop, process.socket(), [this] { readable(); });
  }

  ChildId spawn(ChildSpec spec, std::function<void(Stream, std::string_view)> output,
                std::function<void(ChildExit)> ended);
  void send(const Request& request, std::string_view body, const std::vector<int>& fds);
  void readable();
  void take(const Report& report);
  // Reads what is there, at most kReadBytes at a time. False at the end of the pipe.
  bool read_pipe(Child& child, std::size_t index);
  void drain(Child& child);
  void finish(ChildId id, ChildExit exit);
  void lost();

  EventLoop& loop;
  const Options options;
  GuardProcess process;
  std::unique_ptr<Watch> watch;
  std::map<ChildId, std::unique_ptr<Child>> children;
  ChildId next_child = 1;
  bool is_lost = false;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);  // for what is posted
};

Guard::Guard(EventLoop& loop, Options options) : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
Guard::~Guard() = default;
std::int64_t Guard::pid() const { return impl_->process.pid(); }

ChildId Guard::spawn(ChildSpec spec, std::function<void(Stream, std::string_view)> output,
                     std::function<void(ChildExit)> ended) {
  return impl_->spawn(std::move(spec), std::move(output), std::move(ended));
}

void Guard::signal(ChildId child, int signal) {
  if (!impl_->children.contains(child) || impl_->is_lost) return;
  impl_->send({.verb = Verb::signal, .signal = signal, .child = child}, {}, {});
}

void Guard::Impl::send(const Request& request, std::string_view body, const std::vector<int>& fds) {
  iovec parts[2] = {{const_cast<Request*>(&request), sizeof request}, {const_cast<char*>(body.data()), body.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(4 * sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = body.empty() ? 1 : 2;
  if (!fds.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    TQ_ASSERT(header != nullptr);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  }
  // Blocks while the guard is behind. If it is gone, the watch says so.
  while (::sendmsg(process.socket(), &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
  }
}

ChildId Guard::Impl::spawn(ChildSpec spec, std::function<void(Stream, std::string_view)> output,
                           std::function<void(ChildExit)> ended) {
  const ChildId id = next_child++;
  Pipe pipes[2] = {make_pipe(), make_pipe()};
  auto child = std::make_unique<Child>();
  child->name = spec.argv.at(0);
  child->cwd = spec.cwd;
  child->output = std::move(output);
  child->ended = std::move(ended);
  for (std::size_t i : {0u, 1u}) {
    child->pipes[i] = std::move(pipes[i].read);
    child->watches[i] = std::make_unique<Watch>(loop, child->pipes[i].get(), [this, raw = child.get(), i] {
      if (!read_pipe(*raw, i)) raw->watches[i].reset();
    });
  }
  const std::string body = make_body(spec, fmt::format("{}{}.{}", guard::kMarker, options.token, id));
  Request request{.verb = Verb::spawn, .child = id};
  request.argc = static_cast<std::uint32_t>(spec.argv.size());
  request.envc = static_cast<std::uint32_t>(spec.env.size() + 1);
  request.body_size = static_cast<std::uint32_t>(body.size());
  std::vector<int> fds{pipes[0].write.get(), pipes[1].write.get()};
  if (spec.input) {
    request.has_input = 1;
    fds.push_back(spec.input.get());
  }
  base::Fd file;
  if (body.size() > guard::kMaxInlineBody) {
    request.body_is_file = 1;
    file = file_in_memory(body);
    fds.push_back(file.get());
  }
  children.emplace(id, std::move(child));
  send(request, request.body_is_file != 0 ? std::string_view() : std::string_view(body), fds);
  if (is_lost) {
    loop.post([this, still = std::weak_ptr<bool>(alive)] {
      if (!still.expired()) lost();
    });
  }
  return id;
}

bool Guard::Impl::read_pipe(Child& child, std::size_t index) {
  static thread_local char buffer[kReadBytes];
  const ssize_t got = ::read(child.pipes[index].get(), buffer, sizeof buffer);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) return false;
  child.output(index == 0 ? Stream::out : Stream::err, {buffer, static_cast<std::size_t>(got)});
  return true;
}

// After its end: what it wrote is in the pipes. Not to their end, which a process that escaped may hold open.
void Guard::Impl::drain(Child& child) {
  for (std::size_t i : {0u, 1u}) {
    int waiting = 0;
    while (child.watches[i] && ::ioctl(child.pipes[i].get(), FIONREAD, &waiting) == 0 && waiting > 0 &&
           read_pipe(child, i)) {
    }
  }
}

void Guard::Impl::readable() {
  // A batch at a time; whoever is called may destroy the guard.
  const std::weak_ptr<bool> still = alive;
  for (int i = 0; i < 64; ++i) {
    Report report{};
    const ssize_t size = ::recv(process.socket(), &report, sizeof report, MSG_DONTWAIT);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (size != sizeof report) {
      lost();
      return;
    }
    take(report);
    if (still.expired()) return;
  }
}

void Guard::Impl::take(const Report& report) {
  const auto found = children.find(report.child);
  if (found == children.end()) return;
  ChildExit exit;
  exit.code = report.code;
  switch (report.what) {
    case What::exited:
      exit.kind = ChildExit::Kind::exited;
      break;
    case What::signalled:
      exit.kind = ChildExit::Kind::signalled;
      break;
    default:
      exit.kind = ChildExit::Kind::not_started;
      exit.error = failure(report, found->second->name, found->second->cwd);
  }
  finish(report.child, std::move(exit));
}

void Guard::Impl::finish(ChildId id, ChildExit exit) {
  const auto found = children.find(id);
  const std::unique_ptr<Child> child = std::move(found->second);
  children.erase(found);
  drain(*child);
  child->ended(std::move(exit));
}

void Guard::Impl::lost() {
  const std::weak_ptr<bool> still = alive;
  if (!is_lost) {
    is_lost = true;
    watch.reset();
    kill_leftovers(options.token);
    if (options.own_process) process.kill_adopted();
  }
  while (!children.empty()) {
    finish(
        children.begin()->first,
        {.kind = ChildExit::Kind::lost, .code = 0, .error = "the guard process was killed, and the command with it"});
    if (still.expired()) return;
  }
  const auto died = options.died;
  if (died) died();
}

std::size_t kill_leftovers(std::string_view token) {
  const std::string marker = guard::kMarker + std::string(token) + ".";
  std::size_t killed = 0;
  // What is killed forks no more, so the number of looks is small.
  for (bool found = true; found;) {
    found = false;
    guard::each_process([&](const guard::Process& process) {
      char rest[64];
      if (process.state == 'Z' || process.pid == ::getpid()) return;
      if (!guard::find_variable(process.pid, marker.c_str(), rest, sizeof rest)) return;
      found = true;
      if (::kill(process.pid, SIGKILL) == 0) ++killed;
    });
  }
  return killed;
}

}  // namespace tq::loop
