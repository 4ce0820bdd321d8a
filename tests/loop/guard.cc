#include "loop/guard.hpp"

#include "loop/commands.hpp"
#include "loop/forked.hpp"
#include "loop/witness.hpp"
#include "support/message_of.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace tq::loop;
using namespace tq::test;

namespace {

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(files), end(files)));
}

ChildSpec shell(const std::string& script) { return {.argv = {"sh", "-c", script}, .cwd = "/"}; }

}  // namespace

BOOST_AUTO_TEST_SUITE(loop_guard)

BOOST_AUTO_TEST_CASE(an_exit_code_is_as_a_shell_would_say_it) {
  BOOST_TEST((ChildExit{Kind::exited, 0, {}}.exit_code()) == 0);
  BOOST_TEST((ChildExit{Kind::exited, 255, {}}.exit_code()) == 255);
  BOOST_TEST((ChildExit{Kind::signalled, 9, {}}.exit_code()) == 137);
  BOOST_TEST((ChildExit{Kind::not_started, EACCES, {}}.exit_code()) == 126);
  BOOST_TEST((ChildExit{Kind::not_started, ENOENT, {}}.exit_code()) == 126);
  BOOST_TEST((ChildExit{Kind::not_started, ENOENT, {}, true}.exit_code()) == 127);
  BOOST_TEST((ChildExit{Kind::lost, 0, {}}.exit_code()) == 125);
}

BOOST_AUTO_TEST_CASE(the_next_command_may_be_started_when_one_ends) {
  EventLoop loop;
  Guard guard(loop, {.token = new_token()});
  std::string ended;
  std::function<void()> next = [&] {
    guard.spawn(
        shell("echo " + std::to_string(ended.size())), [&](tq::Stream, std::string_view bytes) { ended += bytes[0]; },
        [&](const ChildExit& exit) {
          BOOST_TEST(exit.exit_code() == 0);
          ended.size() < 5 ? next() : loop.stop();
        });
  };
  next();
  loop.run();
  BOOST_TEST(ended == "01234");
}

BOOST_AUTO_TEST_CASE(a_guard_may_be_destroyed_by_a_command_s_output) {
  EventLoop loop;
  Witness witness;
  auto guard = std::make_unique<Guard>(loop, Guard::Options{.token = new_token()});
  for (int i = 0; i < 5; ++i) {
    ChildSpec spec = shell("echo something; echo else >&2; exec sleep 1000");
    spec.input = witness.share();
    const std::string text(100, 'x');  // lives in the callback, and is looked at after the guard has gone
    guard->spawn(
        std::move(spec),
        [&, text](tq::Stream, std::string_view bytes) {
          guard.reset();
          BOOST_TEST(bytes.size() > 4u);
          BOOST_TEST(text.size() == 100u);
          loop.stop();
        },
        [](const ChildExit&) { BOOST_ERROR("it has ended"); });
  }
  witness.drop();
  loop.run();
  BOOST_TEST(witness.all_are_gone());
}

BOOST_AUTO_TEST_CASE(a_guard_may_be_destroyed_by_a_command_s_end) {
  EventLoop loop;
  auto guard = std::make_unique<Guard>(loop, Guard::Options{.token = new_token()});
  int ended = 0;
  for (int i = 0; i < 5; ++i) {
    guard->spawn(
        shell("exit 0"), [](tq::Stream, std::string_view) {},
        [&](const ChildExit&) {
          ++ended;
          guard.reset();
          loop.stop();
        });
  }
  loop.run();
  BOOST_TEST(ended == 1);
}

BOOST_AUTO_TEST_CASE(a_guard_may_be_destroyed_by_its_own_death) {
  EventLoop loop;
  std::unique_ptr<Guard> guard;
  guard = std::make_unique<Guard>(loop, Guard::Options{.token = new_token(), .died = [&] {
                                                         guard.reset();
                                                         loop.stop();
                                                       }});
  ::kill(static_cast<pid_t>(guard->pid()), SIGKILL);
  loop.run();
  BOOST_TEST(!guard);
}

BOOST_AUTO_TEST_CASE(what_a_callback_throws_is_thrown_by_the_loop_and_the_end_still_comes) {
  EventLoop loop;
  Guard guard(loop, {.token = new_token()});
  int ended = 0;
  guard.spawn(
      shell("echo once"), [](tq::Stream, std::string_view) { throw std::runtime_error("output"); },
      [&](const ChildExit&) {
        ++ended;
        throw std::runtime_error("end");
      });
  BOOST_TEST(message_of<std::runtime_error>([&] { loop.run(); }) == "output");
  BOOST_TEST(message_of<std::runtime_error>([&] { loop.run(); }) == "end");
  BOOST_TEST(ended == 1);
}

BOOST_AUTO_TEST_CASE(no_descriptor_is_left_of_a_command) {
  Commands commands;
  const Ran& first = commands.shell("true");
  commands.wait(first);
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 50; ++i) {
    commands.wait(commands.shell("echo out; echo err >&2"));
    commands.wait(commands.start({.argv = {"/nowhere"}}));
    commands.wait(commands.start({.argv = {"true", std::string(60'000, 'x')}}));
  }
  BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(no_descriptor_is_left_of_a_guard) {
  EventLoop loop;
  const std::size_t before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    Commands commands;
    commands.wait(commands.shell("true"));
  }
  BOOST_TEST(open_descriptors() == before);
}

BOOST_AUTO_TEST_CASE(without_descriptors_a_command_is_not_started_and_later_ones_are) {
  Commands commands;
  commands.wait(commands.shell("true"));
  rlimit limit{};
  BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  rlimit none = limit;
  none.rlim_cur = 0;
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const Ran& failed = commands.shell("true");
  BOOST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  commands.wait(failed);
  BOOST_TEST(failed.exit.kind == Kind::not_started);
  BOOST_TEST(failed.exit.code == EMFILE);
  BOOST_TEST(failed.exit.error == "cannot make a pipe for a command: Too many open files");
  const Ran& later = commands.shell("exit 3");
  commands.wait(later);
  BOOST_TEST(later.exit.exit_code() == 3);
}

BOOST_AUTO_TEST_CASE(a_host_that_reaps_all_its_children_makes_nobody_wait) {
  Forked host([] {
    EventLoop loop;
    auto guard = std::make_unique<Guard>(loop, Guard::Options{.token = new_token()});
    bool died = false;
    ::kill(static_cast<pid_t>(guard->pid()), SIGKILL);
    int status = 0;
    if (::waitpid(-1, &status, 0) != guard->pid()) throw std::runtime_error("it is no child");
    guard.reset();
    // And one that ignores them, so that the kernel reaps.
    std::signal(SIGCHLD, SIG_IGN);
    guard = std::make_unique<Guard>(loop, Guard::Options{.token = new_token(), .died = [&] { died = true; }});
    guard->spawn(
        shell("exit 3"), [](tq::Stream, std::string_view) {},
        [&](const ChildExit& exit) {
          if (exit.exit_code() != 3) throw std::runtime_error("another exit code");
          loop.stop();
        });
    loop.run();
    guard.reset();
    if (died) throw std::runtime_error("it was thought to have died");
  });
  BOOST_TEST(host.wait() == 0);
}

BOOST_AUTO_TEST_CASE(two_guards_of_one_host_do_not_disturb_each_other) {
  Commands first;
  Commands second;
  const Ran& one = first.shell("exec sleep 1000");
  const Ran& other = second.shell("exit 4");
  second.wait(other);
  second.guard.reset();
  BOOST_TEST(other.exit.exit_code() == 4);
  first.guard->signal(one.id, SIGTERM);
  first.wait(one);
  BOOST_TEST(one.exit.code == SIGTERM);
}

BOOST_AUTO_TEST_CASE(a_noisy_command_does_not_starve_another) {
  Commands commands;
  const Ran& noisy = commands.shell("exec yes");
  commands.wait_for_output(noisy, "y\n");
  for (int i = 0; i < 10; ++i) {
    const Ran& quiet = commands.shell("echo here");
    commands.wait(quiet);
    BOOST_TEST(quiet.out == "here\n");
  }
  commands.guard->signal(noisy.id, SIGKILL);
  commands.wait(noisy);
}

BOOST_AUTO_TEST_CASE(a_stranger_that_holds_the_pipe_does_not_hold_up_the_end) {
  // A process that is no descendant was given the command's standard output, and goes on writing.
  Witness witness;
  Commands commands;
  const Ran& ran = commands.shell("echo $$ >&0; exec sleep 1000", witness.share());
  const pid_t pid = std::stoi(witness.line());
  const Forked stranger([&] {
    std::signal(SIGPIPE, SIG_IGN);
    const tq::base::Fd its_output = tq::base::open_file("/proc/" + std::to_string(pid) + "/fd/1", O_WRONLY);
    witness.say("has it");
    while (::write(its_output.get(), "x", 1) == 1) continue;
    ::pause();
  });
  BOOST_TEST(witness.line() == "has it");
  commands.guard->signal(ran.id, SIGKILL);
  commands.wait(ran);
  BOOST_TEST(ran.exit.code == SIGKILL);
}

BOOST_AUTO_TEST_SUITE_END()
