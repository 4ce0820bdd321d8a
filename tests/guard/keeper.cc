// How a command ends, and what becomes of what it leaves behind.
#include "guard/processes.hpp"
#include "loop/commands.hpp"
#include "loop/scripts.hpp"
#include "loop/witness.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <set>
#include <string>
#include <sys/mman.h>
#include <vector>

using namespace tq::test;

namespace {

// A file in memory to be read from its beginning.
tq::base::Fd file_of(const std::string& bytes) {
  tq::base::Fd file(::memfd_create("input", MFD_CLOEXEC));
  tq::base::write_all(file.get(), bytes, "input");
  BOOST_REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
  return file;
}

std::set<pid_t> children_of(std::int64_t parent) {
  std::set<pid_t> children;
  tq::guard::each_pid([&](pid_t pid) {
    tq::guard::Process process{};
    if (tq::guard::read_process(pid, process) && process.parent == parent) children.insert(pid);
  });
  return children;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guard_keeper)

BOOST_AUTO_TEST_CASE(an_exit_status_is_reported) {
  Commands commands;
  const Ran& none = commands.shell("exit 0");
  const Ran& some = commands.shell("exit 3");
  const Ran& most = commands.shell("exit 255");
  commands.wait_for_all();
  BOOST_TEST(none.exit.kind == Kind::exited);
  BOOST_TEST(none.exit.exit_code() == 0);
  BOOST_TEST(some.exit.code == 3);
  BOOST_TEST(some.exit.exit_code() == 3);
  BOOST_TEST(most.exit.exit_code() == 255);
}

BOOST_AUTO_TEST_CASE(a_signal_that_ends_a_command_is_reported) {
  Commands commands;
  const Ran& killed = commands.shell("kill -KILL $$");
  const Ran& hung_up = commands.shell("kill -HUP $$");
  commands.wait_for_all();
  BOOST_TEST(killed.exit.kind == Kind::signalled);
  BOOST_TEST(killed.exit.code == SIGKILL);
  BOOST_TEST(killed.exit.exit_code() == 137);
  BOOST_TEST(hung_up.exit.code == SIGHUP);
}

BOOST_AUTO_TEST_CASE(output_arrives_byte_for_byte_and_by_stream) {
  Random random;
  for (const std::size_t size : {0u, 1u, 65'536u, 65'537u, 3'000'000u}) {
    std::string out(size, '\0');
    for (char& c : out) c = static_cast<char>(random.number());
    const std::string err = out.substr(0, size / 2) + "!";
    Commands commands;
    tq::loop::ChildSpec spec{.argv = {"sh", "-c", "head -c $1; cat >&2", "sh", std::to_string(size)}};
    spec.input = file_of(out + err);
    const Ran& ran = commands.start(std::move(spec));
    commands.wait(ran);
    BOOST_TEST((ran.out == out));
    BOOST_TEST((ran.err == err));
    BOOST_TEST(ran.ended == 1);
  }
}

BOOST_AUTO_TEST_CASE(output_comes_while_the_command_runs) {
  Witness witness;
  int ends[2];
  BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  tq::base::Fd question(ends[1]);
  Commands commands;
  const Ran& ran = commands.shell("echo first; read line; echo $line >&2", tq::base::Fd(ends[0]));
  commands.wait_for_output(ran, "first\n");
  BOOST_TEST(ran.ended == 0);
  tq::base::write_all(question.get(), "second\n", "pipe");
  commands.wait(ran);
  BOOST_TEST(ran.err == "second\n");
}

BOOST_AUTO_TEST_CASE(a_command_that_closes_its_output_still_runs) {
  Witness witness;
  Commands commands;
  const Ran& ran = commands.shell("exec >&- 2>&-; echo still here >&0; exit 4", witness.give());
  BOOST_TEST(witness.line() == "still here");
  commands.wait(ran);
  BOOST_TEST(ran.exit.exit_code() == 4);
}

BOOST_AUTO_TEST_CASE(a_process_left_in_the_background_is_killed_and_does_not_delay_the_end) {
  // It holds the pipes.
  Witness witness;
  Commands commands;
  const Ran& ran = commands.shell("exec 3<&0; sleep 1000 <&3 & echo out; echo err >&2; exit 5", witness.give());
  commands.wait(ran);
  BOOST_TEST(witness.all_are_gone());
  BOOST_TEST(ran.exit.exit_code() == 5);
  BOOST_TEST(ran.out == "out\n");
  BOOST_TEST(ran.err == "err\n");
}

BOOST_AUTO_TEST_CASE(a_daemon_is_killed_before_the_end_is_reported_while_other_commands_run) {
  Witness witness;
  Witness other_witness;
  Commands commands;
  const Ran& other = commands.shell("echo ready >&0; exec sleep 1000", other_witness.give());
  BOOST_TEST(other_witness.line() == "ready");
  const Scripts scripts;
  const std::string daemonizing = scripts.add_leaving("a", "echo >$D/fifo; exec sleep 1000 >&2", "exit 0");
  const Ran& ran = commands.shell("exec " + daemonizing, witness.give());
  commands.wait(ran);
  BOOST_TEST(ran.exit.exit_code() == 0);
  BOOST_TEST(ran.err == "");
  BOOST_TEST(witness.all_are_gone());
  BOOST_TEST(!other_witness.all_are_gone());
  BOOST_TEST(other.ended == 0);
  commands.guard->signal(other.id, SIGKILL);
  commands.wait(other);
}

BOOST_AUTO_TEST_CASE(a_stopped_process_is_killed_too) {
  Witness witness;
  Commands commands;
  const Scripts scripts;
  const Ran& ran =
      commands.shell("exec " + scripts.add_leaving("a", "echo >$D/fifo; kill -STOP $$", "exit 0"), witness.give());
  commands.wait(ran);
  BOOST_TEST(witness.all_are_gone());
}

BOOST_AUTO_TEST_CASE(processes_that_go_on_forking_are_all_killed) {
  Witness witness;
  Commands commands;
  const Scripts scripts;
  // Each generation starts the next, and a bystander, in sessions of their own, and ends.
  const Ran& ran = commands.shell(
      "exec " + scripts.add_leaving("a", "exec 3<&0; setsid sleep 1000 <&3 & setsid $0 <&3 & echo >$D/fifo", "exit 0"),
      witness.give());
  commands.wait(ran);
  BOOST_TEST(witness.all_are_gone());
}

BOOST_AUTO_TEST_CASE(a_hundred_commands_run_at_once) {
  Commands commands;
  int ends[2];
  BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const tq::base::Fd held(ends[0]);
  tq::base::Fd gate(ends[1]);
  std::vector<const Ran*> runs;
  for (int i = 0; i < 100; ++i) {
    const std::string number = std::to_string(i);
    runs.push_back(&commands.shell("echo out" + number + "; echo err" + number + " >&2; read line; exit " + number,
                                   tq::base::Fd(::fcntl(held.get(), F_DUPFD_CLOEXEC, 0))));
  }
  commands.wait_until([&] {
    return std::all_of(runs.begin(), runs.end(), [](const Ran* ran) { return !ran->out.empty() && !ran->err.empty(); });
  });
  for (const Ran* ran : runs) BOOST_TEST(ran->ended == 0);
  gate.reset();
  commands.wait_for_all();
  for (int i = 0; i < 100; ++i) {
    const Ran& ran = *runs[static_cast<std::size_t>(i)];
    BOOST_TEST(ran.exit.exit_code() == i);
    BOOST_TEST(ran.out == "out" + std::to_string(i) + "\n");
    BOOST_TEST(ran.err == "err" + std::to_string(i) + "\n");
  }
}

BOOST_AUTO_TEST_CASE(a_keeper_runs_one_command_after_the_other) {
  Commands commands;
  std::set<pid_t> keepers;
  for (int i = 0; i < 10; ++i) {
    const Ran& ran = commands.shell("exit " + std::to_string(i));
    commands.wait(ran);
    BOOST_TEST(ran.exit.exit_code() == i);
    keepers.merge(children_of(commands.guard->pid()));
  }
  BOOST_TEST(keepers.size() == 1u);
  BOOST_TEST(children_of(*keepers.begin()).empty());
}

BOOST_AUTO_TEST_CASE(an_orphan_that_ends_leaves_no_zombie) {
  Commands commands;
  const Ran& ran =
      commands.shell("pid=$(sh -c 'true >&2 & echo $!'); while [ -e /proc/$pid ]; do :; done; echo reaped");
  commands.wait(ran);
  BOOST_TEST(ran.out == "reaped\n");
}

BOOST_AUTO_TEST_SUITE_END()
