#include "loop/guard_process.hpp"

#include "guard/protocol.hpp"
#include "loop/commands.hpp"
#include "loop/forked.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <set>
#include <string>
#include <sys/wait.h>

using namespace tq::loop;
using namespace tq::test;

namespace {

std::set<std::string> descriptors_of(std::int64_t pid) {
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    found.insert(entry.path().filename());
  }
  return found;
}

std::string target_of(std::int64_t pid, int fd) {
  return std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/fd/" + std::to_string(fd));
}

// Waits until the guard has set itself up: then it has a name.
void wait_until_ready(const GuardProcess& process) {
  Commands commands;  // of another guard, to pass the time
  const std::string path = "/proc/" + std::to_string(process.pid()) + "/comm";
  const Ran& ran = commands.shell("until grep -q tq-guard " + path +
                                  "; do :; done; "
                                  "until [ ! -e /proc/" +
                                  std::to_string(process.pid()) + "/fd/6 ]; do :; done");
  commands.wait(ran);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loop_guard_process)

BOOST_AUTO_TEST_CASE(a_guard_has_six_descriptors_and_among_them_the_one_to_be_inherited) {
  int ends[2];
  BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const tq::base::Fd reading(ends[0]);
  const tq::base::Fd writing(ends[1]);
  const GuardProcess with({.inherit_fd = writing.get()});
  const GuardProcess without({});
  for (const GuardProcess* process : {&with, &without}) {
    wait_until_ready(*process);
    BOOST_TEST((descriptors_of(process->pid()) == std::set<std::string>{"0", "1", "2", "3", "4", "5"}));
  }
  BOOST_TEST(target_of(with.pid(), tq::guard::kInheritedFd) == target_of(::getpid(), writing.get()));
  BOOST_TEST(target_of(without.pid(), tq::guard::kInheritedFd) == "/dev/null");
}

BOOST_AUTO_TEST_CASE(a_guard_is_in_a_session_of_its_own) {
  const GuardProcess process({});
  BOOST_TEST(::getsid(static_cast<pid_t>(process.pid())) == process.pid());
}

BOOST_AUTO_TEST_CASE(a_guard_starts_whatever_descriptors_are_free) {
  // With these closed, what it is given has the numbers that it is to be given as.
  Forked host([] {
    for (int fd = 3; fd < 10; ++fd) ::close(fd);
    EventLoop loop;
    Guard guard(loop, {.token = new_token()});
    guard.spawn(
        {.argv = {"sh", "-c", "echo out"}, .cwd = "/"}, [](tq::Stream, std::string_view) {},
        [&](const ChildExit& exit) {
          if (exit.exit_code() != 0) throw std::runtime_error(exit.error);
          loop.stop();
        });
    loop.run();
  });
  BOOST_TEST(host.wait() == 0);
}

BOOST_AUTO_TEST_CASE(the_end_of_the_object_is_the_end_of_the_process) {
  pid_t pid = 0;
  {
    const GuardProcess process({});
    pid = static_cast<pid_t>(process.pid());
    BOOST_TEST(::kill(pid, 0) == 0);
  }
  BOOST_TEST(::kill(pid, 0) == -1);  // not even a zombie
}

BOOST_AUTO_TEST_CASE(a_guard_that_is_killed_has_ended) {
  const GuardProcess process({});
  ::kill(static_cast<pid_t>(process.pid()), SIGKILL);
  process.wait();
  pollfd socket{process.socket(), POLLIN, 0};
  BOOST_TEST(::poll(&socket, 1, 60'000) == 1);
  BOOST_TEST((socket.revents & POLLHUP) != 0);
}

BOOST_AUTO_TEST_CASE(only_children_that_came_later_are_adopted_ones) {
  Forked host([] {
    Forked earlier([] { ::pause(); });
    const GuardProcess process({.own_process = true});
    Forked later([] { ::pause(); });
    process.kill_adopted();
    if (::waitpid(earlier.pid(), nullptr, WNOHANG) != 0) throw std::runtime_error("an earlier child was killed");
    if (::kill(later.pid(), 0) == 0) throw std::runtime_error("a later child lives");
    if (::kill(static_cast<pid_t>(process.pid()), 0) != 0) throw std::runtime_error("the guard was killed");
  });
  BOOST_TEST(host.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
