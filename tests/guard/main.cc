// How the guard lives, and what is left when it, a keeper or the worker dies: nothing.
#include "guard/processes.hpp"
#include "loop/commands.hpp"
#include "loop/forked.hpp"
#include "loop/scripts.hpp"
#include "loop/witness.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace tq::test;
using tq::loop::Guard;

namespace {

std::vector<pid_t> children_of(std::int64_t parent) {
  std::vector<pid_t> children;
  tq::guard::each_pid([&](pid_t pid) {
    tq::guard::Process process{};
    if (tq::guard::read_process(pid, process) && process.parent == parent) children.push_back(pid);
  });
  return children;
}

std::string proc(std::int64_t pid, const std::string& name) { return "/proc/" + std::to_string(pid) + "/" + name; }

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Starts three commands that would live for ever, each holding the witness: one that is deaf to signals, one that has left a
// daemon, and one that is stopped. Returns when they run.
void start_three(Commands& commands, const Scripts& scripts, Witness& witness) {
  commands.shell("trap '' TERM INT HUP; echo ready >&0; while :; do sleep 1000; done", witness.share());
  commands.shell(
      "exec " + scripts.add_leaving("a", "echo >$D/fifo; exec sleep 1000", "echo ready >&0; exec sleep 1000"),
      witness.share());
  commands.shell("echo ready >&0; kill -STOP $$", witness.share());
  for (int i = 0; i < 3; ++i) BOOST_TEST(witness.line() == "ready");
}

// The same in a process that is to be killed.
[[noreturn]] void be_a_worker(Witness& witness, Witness& said, const Scripts& scripts, Guard::Options options) {
  Commands commands(std::move(options));
  start_three(commands, scripts, witness);
  witness.drop();
  said.say("started");
  commands.loop.run();
  throw std::runtime_error("the loop has ended");
}

flock whole_file(short type) {
  flock lock{};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guard_main)

BOOST_AUTO_TEST_CASE(a_guard_is_told_from_others_by_its_name) {
  Commands commands;
  const Ran& ran = commands.shell("true");
  commands.wait(ran);
  BOOST_TEST(first_line(proc(commands.guard->pid(), "comm")) == "tq-guard");
  BOOST_TEST(first_line(proc(commands.guard->pid(), "cmdline")) == std::string("tq-guard\0", 9));
}

BOOST_AUTO_TEST_CASE(a_guard_holds_nothing_of_its_worker_s) {
  int ends[2];
  BOOST_REQUIRE(::pipe(ends) == 0);  // without close-on-exec
  const tq::base::Fd reading(ends[0]);
  tq::base::Fd writing(ends[1]);
  Commands commands;
  const Ran& ran = commands.shell("true");
  commands.wait(ran);
  writing.reset();
  char byte;
  BOOST_TEST(::read(reading.get(), &byte, 1) == 0);
  BOOST_TEST(std::filesystem::read_symlink(proc(commands.guard->pid(), "cwd")) == "/");
  std::vector<std::int64_t> processes{commands.guard->pid()};
  for (const pid_t keeper : children_of(commands.guard->pid())) processes.push_back(keeper);
  BOOST_TEST(processes.size() == 2u);
  for (const std::int64_t process : processes) {
    for (const char* fd : {"0", "1", "2"}) {
      BOOST_TEST(std::filesystem::read_symlink(proc(process, "fd/") + fd) == "/dev/null");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_guard_is_deaf_to_the_signals_of_a_terminal) {
  Commands commands;
  const Ran& before = commands.shell("true");
  commands.wait(before);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGUSR1, SIGUSR2}) {
    ::kill(static_cast<pid_t>(commands.guard->pid()), signal);
    for (const pid_t keeper : children_of(commands.guard->pid())) ::kill(keeper, signal);
  }
  const Ran& after = commands.shell("exit 3");
  const Ran& another = commands.shell("exit 4");
  commands.wait_for_all();
  BOOST_TEST(after.exit.exit_code() == 3);
  BOOST_TEST(another.exit.exit_code() == 4);
  BOOST_TEST(commands.died == 0);
}

BOOST_AUTO_TEST_CASE(the_end_of_a_guard_is_the_end_of_all_commands) {
  Witness witness;
  const Scripts scripts;
  Commands commands;
  start_three(commands, scripts, witness);
  commands.guard.reset();
  witness.drop();
  BOOST_TEST(witness.all_are_gone());
}

BOOST_AUTO_TEST_CASE(a_stopped_guard_can_be_ended) {
  Witness witness;
  Commands commands;
  const Ran& ran = commands.shell("exec sleep 1000", witness.give());
  BOOST_TEST(ran.ended == 0);
  for (const pid_t keeper : children_of(commands.guard->pid())) ::kill(keeper, SIGSTOP);
  ::kill(static_cast<pid_t>(commands.guard->pid()), SIGSTOP);
  commands.guard.reset();
  BOOST_TEST(witness.all_are_gone());
}

BOOST_AUTO_TEST_CASE(after_kill_9_of_the_worker_nothing_is_left_and_only_then_the_lock_is_free) {
  for (int round = 0; round < 5; ++round) {
    Witness witness;
    Witness said;
    const Scripts scripts;
    const TempDir directory;
    const tq::base::Fd lock = tq::base::open_file(directory / "lock", O_RDWR | O_CREAT);
    Forked worker([&] {
      Guard::Options options;
      const tq::base::Fd own = tq::base::open_file(directory / "lock", O_RDWR);
      flock wanted = whole_file(F_WRLCK);
      if (::fcntl(own.get(), F_OFD_SETLK, &wanted) != 0) throw std::runtime_error("there is a lock");
      options.inherit_fd = own.get();
      be_a_worker(witness, said, scripts, std::move(options));
    });
    witness.drop();
    BOOST_TEST(said.line() == "started");
    flock wanted = whole_file(F_WRLCK);
    BOOST_TEST(::fcntl(lock.get(), F_OFD_SETLK, &wanted) != 0);
    worker.kill();
    BOOST_REQUIRE(::fcntl(lock.get(), F_OFD_SETLKW, &wanted) == 0);
    BOOST_TEST(witness.all_are_gone());
  }
}

BOOST_AUTO_TEST_CASE(the_death_of_a_worker_is_noticed_though_a_fork_of_it_lives) {
  Witness witness;
  Witness fork;
  Forked worker([&] {
    Commands commands;
    commands.shell("echo started >&0; exec sleep 1000", witness.give());
    // As a host may do that knows nothing of the guard: its copy holds all sockets open.
    if (::fork() == 0) {
      ::alarm(120);
      fork.say(std::to_string(::getpid()));
      for (;;) ::pause();
    }
    commands.loop.run();
  });
  witness.drop();
  const pid_t fork_pid = std::stoi(fork.line());
  BOOST_TEST(witness.line() == "started");
  worker.kill();
  BOOST_TEST(witness.wait_until_gone());
  BOOST_TEST(!fork.all_are_gone());
  ::kill(fork_pid, SIGKILL);
}

BOOST_AUTO_TEST_CASE(after_kill_9_of_the_guard_all_commands_are_lost_and_gone) {
  Witness witness;
  const Scripts scripts;
  Commands commands;
  std::vector<const Ran*> runs;
  for (int i = 0; i < 3; ++i) {
    // One that left its parents and session, but has the marker.
    runs.push_back(&commands.shell("exec 3<&0; (setsid sleep 1000 <&3 &); echo out; echo ready >&0; exec sleep 1000",
                                   witness.share()));
  }
  witness.drop();
  for (int i = 0; i < 3; ++i) BOOST_TEST(witness.line() == "ready");
  ::kill(static_cast<pid_t>(commands.guard->pid()), SIGKILL);
  commands.wait_until([&] { return commands.died != 0; });
  BOOST_TEST(commands.died == 1);
  for (const Ran* ran : runs) {
    BOOST_TEST(ran->ended == 1);
    BOOST_TEST(ran->exit.kind == Kind::lost);
    BOOST_TEST(ran->exit.exit_code() == 125);
    BOOST_TEST(ran->exit.error == "the guard process was killed, and the command with it");
    BOOST_TEST(ran->out == "out\n");
  }
  BOOST_TEST(witness.wait_until_gone());
}

BOOST_AUTO_TEST_CASE(what_is_started_after_kill_9_of_the_guard_is_lost_too) {
  Commands commands;
  ::kill(static_cast<pid_t>(commands.guard->pid()), SIGKILL);
  const Ran& before = commands.shell("true");
  commands.wait_until([&] { return commands.died != 0; });
  const Ran& after = commands.shell("true");
  commands.wait_for_all();
  BOOST_TEST(before.exit.kind == Kind::lost);
  BOOST_TEST(after.exit.kind == Kind::lost);
  BOOST_TEST(after.ended == 1);
  BOOST_TEST(commands.died == 1);
}

BOOST_AUTO_TEST_CASE(kill_9_of_a_keeper_is_as_kill_9_of_the_guard) {
  Witness witness;
  const Scripts scripts;
  Commands commands;
  start_three(commands, scripts, witness);
  witness.drop();
  ::kill(children_of(commands.guard->pid()).at(1), SIGKILL);
  commands.wait_until([&] { return commands.died != 0; });
  BOOST_TEST(witness.all_are_gone());
  commands.wait_for_all();
}

BOOST_AUTO_TEST_CASE(a_worker_with_a_process_of_its_own_finds_even_what_hides_from_it) {
  const Scripts scripts;
  // Not the test's own process, which would stay a subreaper.
  Forked worker([&] {
    Forked earlier([] { ::pause(); });
    Commands commands({.own_process = true});
    Witness witness;
    // An environment of its own, so that only its descent tells whose it is.
    commands.shell(
        "exec " + scripts.add_leaving("a", "echo >$D/fifo; exec sleep 1000", "echo ready >&0; exec sleep 1000"),
        witness.give());
    if (witness.line() != "ready") throw std::runtime_error("it does not run");
    ::kill(static_cast<pid_t>(commands.guard->pid()), SIGKILL);
    commands.wait_until([&] { return commands.died != 0; });
    if (!witness.all_are_gone()) throw std::runtime_error("something is left");
    if (::waitpid(earlier.pid(), nullptr, WNOHANG) != 0) throw std::runtime_error("another child was killed");
  });
  BOOST_TEST(worker.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
