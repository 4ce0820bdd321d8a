// What a signal reaches.
#include "loop/commands.hpp"
#include "loop/scripts.hpp"
#include "loop/witness.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>

using namespace tq::test;

BOOST_AUTO_TEST_SUITE(guard_tree)

BOOST_AUTO_TEST_CASE(a_signal_reaches_the_command) {
  Witness witness;
  Commands commands;
  const Ran& ran = commands.shell(
      "trap 'echo got it; exit 7' TERM; echo ready >&0; while :; do sleep 1000 & wait; done", witness.give());
  BOOST_TEST(witness.line() == "ready");
  commands.guard->signal(ran.id, SIGTERM);
  commands.wait(ran);
  BOOST_TEST(ran.out == "got it\n");
  BOOST_TEST(ran.exit.exit_code() == 7);
}

BOOST_AUTO_TEST_CASE(a_signal_reaches_descendants_that_have_left_group_session_and_parent) {
  Witness witness;
  Commands commands;
  const Scripts scripts;
  // The command itself is deaf, and ends after the daemon.
  const std::string daemon =
      "trap 'echo got it >&2; echo >$D/end; exit' TERM; echo >$D/fifo; while :; do sleep 1000 & wait $!; done";
  const std::string then = "trap '' TERM; echo ready >&0; read line <$D/end; exit 0";
  const Ran& ran = commands.shell("exec " + scripts.add_leaving("a", daemon, then), witness.give());
  BOOST_TEST(witness.line() == "ready");
  commands.guard->signal(ran.id, SIGTERM);
  commands.wait(ran);
  BOOST_TEST(ran.err.ends_with("got it\n"));
  BOOST_TEST(ran.exit.exit_code() == 0);
  BOOST_TEST(witness.all_are_gone());
}

BOOST_AUTO_TEST_CASE(kill_reaches_those_that_ignore_everything_else) {
  Witness witness;
  Commands commands;
  const Ran& ran = commands.shell(
      "exec 3<&0; trap '' TERM INT HUP; (setsid sh -c 'echo ready >&0; sleep 1000' <&3 &); sleep 1000", witness.give());
  BOOST_TEST(witness.line() == "ready");
  commands.guard->signal(ran.id, SIGTERM);
  commands.guard->signal(ran.id, SIGKILL);
  commands.wait(ran);
  BOOST_TEST(ran.exit.kind == Kind::signalled);
  BOOST_TEST(ran.exit.code == SIGKILL);
  BOOST_TEST(witness.all_are_gone());
}

BOOST_AUTO_TEST_CASE(kill_reaches_a_stopped_command) {
  Witness witness;
  Commands commands;
  const Ran& ran = commands.shell("echo ready >&0; kill -STOP $$; echo went on", witness.give());
  BOOST_TEST(witness.line() == "ready");
  commands.guard->signal(ran.id, SIGKILL);
  commands.wait(ran);
  BOOST_TEST(ran.exit.code == SIGKILL);
  BOOST_TEST(ran.out == "");
}

BOOST_AUTO_TEST_CASE(a_signal_right_after_the_start_is_not_lost) {
  Commands commands;
  std::vector<const Ran*> runs;
  for (int i = 0; i < 20; ++i) {
    const Ran& ran = commands.shell("exec sleep 1000");
    commands.guard->signal(ran.id, SIGKILL);
    runs.push_back(&ran);
  }
  commands.wait_for_all();
  for (const Ran* ran : runs) BOOST_TEST(ran->exit.code == SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_signal_reaches_no_other_command) {
  Witness witness;
  Commands commands;
  const Ran& other =
      commands.shell("trap 'echo hit; exit 1' TERM; echo ready >&0; read line <&1; sleep 1000", witness.share());
  const Ran& ran = commands.shell("echo ready >&0; exec sleep 1000", witness.give());
  witness.line();
  witness.line();
  commands.guard->signal(ran.id, SIGTERM);
  commands.wait(ran);
  BOOST_TEST(other.ended == 0);
  commands.guard->signal(other.id, SIGKILL);
  commands.wait(other);
  BOOST_TEST(other.out == "");
  BOOST_TEST(other.exit.code == SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_signal_to_a_command_that_has_ended_does_nothing) {
  Commands commands;
  const Ran& ended = commands.shell("true");
  commands.wait(ended);
  // The next runs where that one did.
  int ends[2];
  BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  tq::base::Fd gate(ends[1]);
  const Ran& next = commands.shell("echo ready; read line; exit 6", tq::base::Fd(ends[0]));
  commands.wait_for_output(next, "ready");
  commands.guard->signal(ended.id, SIGKILL);
  commands.guard->signal(ended.id + 1000, SIGKILL);
  gate.reset();
  commands.wait(next);
  BOOST_TEST(next.exit.exit_code() == 6);
}

BOOST_AUTO_TEST_CASE(more_signals_than_can_be_taken_hurt_nobody) {
  Witness witness;
  Commands commands;
  const Ran& ran = commands.shell("trap '' USR1; echo ready >&0; exec sleep 1000", witness.give());
  witness.line();
  for (int i = 0; i < 2000; ++i) commands.guard->signal(ran.id, SIGUSR1);
  Witness other_witness;
  const Ran& other = commands.shell("exit 3", other_witness.give());
  commands.wait(other);
  BOOST_TEST(other.exit.exit_code() == 3);
  // Those that were taken are being sent still; one to end it is taken when there is room.
  commands.wait_until([&] {
    commands.guard->signal(ran.id, SIGKILL);
    commands.loop.post([&] { commands.loop.stop(); });
    return ran.ended != 0;
  });
  BOOST_TEST(ran.exit.code == SIGKILL);
}

BOOST_AUTO_TEST_SUITE_END()
