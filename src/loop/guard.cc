#include "loop/guard.hpp"

#include "base/fail.hpp"
#include "guard/protocol.hpp"
#include "loop/guard_process.hpp"
#include "loop/packet.hpp"
#include "loop/watch.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <unordered_map>

namespace tq::loop {
namespace {

using guard::Report;
using guard::Verb;
using guard::What;

// One noisy command must not starve the others: so much is read of it at a time.
constexpr std::size_t kReadBytes = 64 * 1024;
using Buffer = std::array<char, kReadBytes>;

constexpr Stream kStreams[] = {Stream::out, Stream::err};

struct Pipe {
  base::Fd read;
  base::Fd write;
};

// Both ends block: a command expects that of its end, and ours is read only when something is there.
Pipe make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) base::throw_system("cannot make a pipe for a command", errno);
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

std::pair<base::Fd, base::Fd> make_sockets() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    base::throw_system("cannot make a socket for a command", errno);
  }
  return {base::Fd(ends[0]), base::Fd(ends[1])};
}

// Why a command was not started.
ChildExit not_started(const Report& report, const std::string& name, const std::string& cwd) {
  const int code = report.code;
  const std::string reason = base::system_reason(code);
  const bool not_found = code == ENOENT || code == ENOTDIR;
  const auto failed = [code](std::string error, bool is_not_found = false) {
    return ChildExit{ChildExit::Kind::not_started, code, std::move(error), is_not_found};
  };
  if (report.what == What::no_directory) {
    return failed(fmt::format("cannot change to the directory '{}': {}", cwd, reason));
  }
  if (report.what == What::no_interpreter) {
    return failed(fmt::format("cannot run '{}': the interpreter that it names is not there", name), true);
  }
  if (report.what != What::not_executed) return failed(fmt::format("cannot start '{}': {}", name, reason));
  if (code != ENOEXEC) return failed(fmt::format("cannot run '{}': {}", name, reason), not_found);
  constexpr std::string_view kWhy = "it is no program, nor a script whose first line names one (such as #!/bin/sh)";
  return failed(fmt::format("cannot run '{}': {}", name, kWhy));
}

ChildExit exit_of(const Report& report, const std::string& name, const std::string& cwd) {
  if (report.what == What::exited) return {ChildExit::Kind::exited, report.code, {}};
  if (report.what == What::signalled) return {ChildExit::Kind::signalled, report.code, {}};
  return not_started(report, name, cwd);
}

}  // namespace

int ChildExit::exit_code() const {
  switch (kind) {
    case Kind::exited:
      return code;
    case Kind::signalled:
      return 128 + code;
    case Kind::not_started:
      return not_found ? 127 : 126;
    case Kind::lost:
      break;
  }
  return 125;
}

// All that can be read (the guard's socket, the keepers', the commands' pipes) is in one epoll set, which the loop watches:
// two system calls for the two pipes of a command, where a handle of the loop for each would take ten.
struct Guard::Impl {
  // A process of the guard's that runs one command at a time; see src/guard/protocol.hpp.
  struct Keeper {
    base::Fd socket;
    ChildId child = 0;  // 0: idle
  };
  struct Child {
    std::string name;
    std::string cwd;
    std::size_t keeper = 0;
    std::array<base::Fd, 2> pipes;  // by kStreams; closed at its end
    std::function<void(Stream, std::string_view)> output;
    std::function<void(ChildExit)> ended;
  };
  // What an epoll event is about.
  enum class Source : std::uint64_t { out = 0, err = 1, keeper = 2, guard = 3 };

  Impl(EventLoop& event_loop, Options given);

  ChildId spawn(ChildSpec spec, std::function<void(Stream, std::string_view)> output,
                std::function<void(ChildExit)> ended);
  void start(ChildId id, Child& child, const ChildSpec& spec);
  std::size_t idle_keeper();
  void watch_fd(int fd, Source source, std::uint64_t number);
  void signal(ChildId child, int signal);

  void readable();
  void handle(std::uint64_t tag);
  void read_pipe(ChildId id, std::size_t stream);
  void read_report(std::size_t keeper);
  void drain(const std::shared_ptr<Child>& child);
  void finish(ChildId id, ChildExit exit);
  void finish_later(ChildId id, ChildExit exit);
  void look_for_end();
  void report_lost();

  EventLoop& loop;
  const Options options;
  GuardProcess process;
  std::vector<Keeper> keepers;
  std::vector<std::size_t> idle_keepers;  // the last to become idle is the next to be used: its memory is warm
  std::unordered_map<ChildId, std::shared_ptr<Child>> children;
  ChildId last_child = 0;
  bool is_lost = false;
  const std::shared_ptr<Buffer> buffer = std::make_shared<Buffer>();
  const std::shared_ptr<bool> alive =
      std::make_shared<bool>(true);  // gone with the guard, which a callback may destroy
  base::Fd events;
  std::unique_ptr<Watch> watch;
};

Guard::Guard(EventLoop& loop, Options options) : impl_(std::make_unique<Impl>(loop, std::move(options))) {}
Guard::~Guard() = default;
std::int64_t Guard::pid() const { return impl_->process.pid(); }

ChildId Guard::spawn(ChildSpec spec, std::function<void(Stream, std::string_view)> output,
                     std::function<void(ChildExit)> ended) {
  return impl_->spawn(std::move(spec), std::move(output), std::move(ended));
}

void Guard::signal(ChildId child, int signal) { impl_->signal(child, signal); }

Guard::Impl::Impl(EventLoop& event_loop, Options given)
    : loop(event_loop), options(std::move(given)), process(options), events(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!events) base::throw_system("cannot make an epoll set", errno);
  watch_fd(process.socket(), Source::guard, 0);
  watch = std::make_unique<Watch>(loop, events.get(), [this] { readable(); });
}

void Guard::Impl::watch_fd(int fd, Source source, std::uint64_t number) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = number << 2 | static_cast<std::uint64_t>(source);
  if (::epoll_ctl(events.get(), EPOLL_CTL_ADD, fd, &event) != 0) base::throw_system("cannot watch a command", errno);
}

// --- to the guard -------------------------------------------------------------------------------------------------------

ChildId Guard::Impl::spawn(ChildSpec spec, std::function<void(Stream, std::string_view)> output,
                           std::function<void(ChildExit)> ended) {
  const ChildId id = ++last_child;
  const auto child = std::make_shared<Child>();
  child->name = spec.argv.empty() ? "" : spec.argv.front();
  child->cwd = spec.cwd;
  child->output = std::move(output);
  child->ended = std::move(ended);
  children.emplace(id, child);
  try {
    if (!is_lost) start(id, *child, spec);
  } catch (const IoError& error) {
    finish_later(id, {ChildExit::Kind::not_started, error.code(), error.what()});
  } catch (const InvalidArgument& error) {
    finish_later(id, {ChildExit::Kind::not_started, EINVAL, error.what()});
  }
  if (is_lost) {
    loop.post([this, still = std::weak_ptr<bool>(alive)] {
      if (!still.expired()) report_lost();
    });
  }
  return id;
}

void Guard::Impl::start(ChildId id, Child& child, const ChildSpec& spec) {
  const SpawnPacket packet(id, spec, options.token);
  std::array<Pipe, 2> pipes{make_pipe(), make_pipe()};
  const std::size_t keeper = idle_keeper();
  watch_fd(pipes[0].read.get(), Source::out, id);
  watch_fd(pipes[1].read.get(), Source::err, id);
  // A keeper that is gone takes the guard with it, which is noticed there.
  const int code = packet.send(keepers[keeper].socket.get(), pipes[0].write.get(), pipes[1].write.get());
  if (code != 0 && code != EPIPE) base::throw_system(fmt::format("cannot start '{}'", child.name), code);
  idle_keepers.pop_back();
  keepers[keeper].child = id;
  child.keeper = keeper;
  for (std::size_t i : {0u, 1u}) child.pipes[i] = std::move(pipes[i].read);
}

// The last of `idle_keepers`; if there was none, a new one.
std::size_t Guard::Impl::idle_keeper() {
  if (!idle_keepers.empty()) return idle_keepers.back();
  auto [ours, its] = make_sockets();
  const int code = send_request(process.socket(), {.verb = Verb::keep}, {}, {its.get()});
  if (code != 0 && code != EPIPE) base::throw_system("cannot ask the guard for a keeper", code);
  const std::size_t keeper = keepers.size();
  watch_fd(ours.get(), Source::keeper, keeper);
  keepers.push_back({std::move(ours)});
  idle_keepers.push_back(keeper);
  return keeper;
}

void Guard::Impl::signal(ChildId id, int signal) {
  const auto found = children.find(id);
  if (found == children.end() || is_lost || !found->second->pipes[0]) return;
  // A keeper that has hundreds of signals to take still needs no more.
  send_request(keepers[found->second->keeper].socket.get(), {.verb = Verb::signal, .signal = signal, .child = id}, {},
               {}, MSG_DONTWAIT);
}

// --- from the guard -----------------------------------------------------------------------------------------------------

void Guard::Impl::readable() {
  const std::weak_ptr<bool> still = alive;
  epoll_event ready[64];
  const int count = ::epoll_wait(events.get(), ready, std::ssize(ready), 0);
  // Numbers, not pointers: a callback may have ended what a later event is about.
  for (int i = 0; i < count && !still.expired(); ++i) handle(ready[i].data.u64);
}

void Guard::Impl::handle(std::uint64_t tag) {
  const std::uint64_t number = tag >> 2;
  switch (static_cast<Source>(tag & 3)) {
    case Source::out:
    case Source::err:
      return read_pipe(number, tag & 3);
    case Source::keeper:
      return read_report(number);
    case Source::guard:
      return look_for_end();
  }
}

void Guard::Impl::read_pipe(ChildId id, std::size_t stream) {
  const auto found = children.find(id);
  if (found == children.end()) return;
  const auto child = found->second;
  const auto bytes = buffer;
  const ssize_t got = ::read(child->pipes[stream].get(), bytes->data(), bytes->size());
  if (got > 0) {
    child->output(kStreams[stream], {bytes->data(), static_cast<std::size_t>(got)});
  } else if (got == 0) {
    ::epoll_ctl(events.get(), EPOLL_CTL_DEL, child->pipes[stream].get(), nullptr);
  }
}

void Guard::Impl::read_report(std::size_t index) {
  if (is_lost) return;
  Keeper& keeper = keepers[index];
  bool has_ended = false;
  const auto report = receive_report(keeper.socket.get(), has_ended);
  // One that could not be made has said so before. Otherwise the end of a keeper is the end of the guard, which comes through
  // the guard's own socket, when nothing is left.
  if (has_ended) keeper.socket.reset();
  if (!report || keeper.child == 0 || (report->child != 0 && report->child != keeper.child)) return;
  const ChildId id = std::exchange(keeper.child, 0);
  if (report->child != 0) idle_keepers.push_back(index);
  const auto child = children.at(id);
  ChildExit exit{ChildExit::Kind::not_started, ENOMEM, "out of memory"};  // should there be none to say why
  const std::weak_ptr<bool> still = alive;
  try {
    exit = exit_of(*report, child->name, child->cwd);
    drain(child);
  } catch (...) {
    finish_later(id, std::move(exit));
    throw;
  }
  if (!still.expired()) finish(id, std::move(exit));
}

// After its end: what it wrote is in the pipes. Not to their end, which may never come: a process that is no descendant of the
// command may have been given a pipe.
void Guard::Impl::drain(const std::shared_ptr<Child>& child) {
  const auto bytes = buffer;
  const std::weak_ptr<bool> still = alive;
  for (std::size_t i : {0u, 1u}) {
    int waiting = 0;
    if (::ioctl(child->pipes[i].get(), FIONREAD, &waiting) != 0) continue;
    for (auto left = static_cast<std::size_t>(waiting); left != 0;) {
      const ssize_t got = ::read(child->pipes[i].get(), bytes->data(), std::min(left, bytes->size()));
      if (got <= 0) break;
      left -= static_cast<std::size_t>(got);
      child->output(kStreams[i], {bytes->data(), static_cast<std::size_t>(got)});
      if (still.expired()) return;
    }
    child->pipes[i].reset();
  }
}

void Guard::Impl::finish(ChildId id, ChildExit exit) {
  const auto found = children.find(id);
  const auto child = found->second;
  children.erase(found);
  child->ended(std::move(exit));
}

void Guard::Impl::finish_later(ChildId id, ChildExit exit) {
  loop.post([this, still = std::weak_ptr<bool>(alive), id, exit = std::move(exit)] {
    if (!still.expired() && children.contains(id)) finish(id, exit);
  });
}

// --- the end of the guard -----------------------------------------------------------------------------------------------

// The guard's socket says nothing; all that can come is its end.
void Guard::Impl::look_for_end() {
  bool has_ended = false;
  receive_report(process.socket(), has_ended);
  if (!has_ended || is_lost) return;
  is_lost = true;
  watch.reset();
  // The kernel kills the keepers after the guard, and after each keeper the command that it started. Once their sockets have
  // ended only what those started may be left.
  process.wait();
  for (const Keeper& keeper : keepers) {
    if (!keeper.socket) continue;
    pollfd ended{keeper.socket.get(), 0, 0};
    while (::poll(&ended, 1, -1) < 0 && errno == EINTR) {
    }
  }
  kill_leftovers(options.token);
  if (options.own_process) process.kill_adopted();
  const std::weak_ptr<bool> still = alive;
  report_lost();
  if (still.expired() || !options.died) return;
  const auto died = options.died;
  died();
}

// Of what ran, and of what is started later.
void Guard::Impl::report_lost() {
  const std::weak_ptr<bool> still = alive;
  while (!still.expired() && !children.empty()) {
    const auto [id, child] = *children.begin();
    drain(child);
    if (still.expired()) return;
    finish(id, {ChildExit::Kind::lost, 0, "the guard process was killed, and the command with it"});
  }
}

}  // namespace tq::loop
