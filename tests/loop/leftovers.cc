#include "loop/commands.hpp"
#include "loop/guard.hpp"
#include "loop/witness.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <vector>

using namespace tq::loop;
using namespace tq::test;

namespace {

// A process that nobody looks after, with these variables.
pid_t start_stray(const Witness& witness, std::vector<std::string> environment, const std::string& script) {
  std::string name = "sh";
  std::string option = "-c";
  std::string text = script;
  char* arguments[] = {name.data(), option.data(), text.data(), nullptr};
  std::vector<char*> variables;
  for (std::string& variable : environment) variables.push_back(variable.data());
  variables.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const tq::base::Fd end = witness.share();
  ::posix_spawn_file_actions_adddup2(&actions, end.get(), STDIN_FILENO);
  pid_t pid = -1;
  const int code = ::posix_spawn(&pid, "/bin/sh", &actions, nullptr, arguments, variables.data());
  ::posix_spawn_file_actions_destroy(&actions);
  BOOST_REQUIRE_EQUAL(code, 0);
  return pid;
}

int signal_that_ended(pid_t pid) {
  int status = 0;
  BOOST_REQUIRE(::waitpid(pid, &status, 0) == pid);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

constexpr char kStay[] = "echo ready >&0; exec sleep 1000";

}  // namespace

BOOST_AUTO_TEST_SUITE(loop_leftovers)

BOOST_AUTO_TEST_CASE(what_has_the_token_is_killed_and_gone) {
  Witness witness;
  const std::string token = new_token();
  const pid_t plain = start_stray(witness, {"A=1", "TQ_GUARD=" + token + ".1", "B=2"}, kStay);
  const pid_t deaf = start_stray(witness, {"TQ_GUARD=" + token + ".2"}, "trap '' TERM HUP INT; " + std::string(kStay));
  const pid_t stopped = start_stray(witness, {"TQ_GUARD=" + token + ".2"}, "echo ready >&0; kill -STOP $$");
  for (int i = 0; i < 3; ++i) witness.line();
  witness.drop();
  BOOST_TEST(kill_leftovers(token) == 3u);
  BOOST_TEST(witness.all_are_gone());
  for (const pid_t pid : {plain, deaf, stopped}) BOOST_TEST(signal_that_ended(pid) == SIGKILL);
  BOOST_TEST(kill_leftovers(token) == 0u);
}

BOOST_AUTO_TEST_CASE(what_was_left_of_left_processes_is_killed_too) {
  Witness witness;
  const std::string token = new_token();
  const pid_t parent =
      start_stray(witness, {"TQ_GUARD=" + token + ".1"},
                  "exec 3<&0; setsid sleep 1000 <&3 & (setsid sleep 1000 <&3 &); " + std::string(kStay));
  witness.line();
  witness.drop();
  BOOST_TEST(kill_leftovers(token) >= 3u);
  BOOST_TEST(witness.all_are_gone());
  signal_that_ended(parent);
}

BOOST_AUTO_TEST_CASE(what_has_another_token_lives) {
  Witness witness;
  const std::string token = new_token();
  std::vector<pid_t> others;
  for (const std::string& variable :
       {"TQ_GUARD=" + token + "0.1", "TQ_GUARD=x" + token + ".1", "XTQ_GUARD=" + token + ".1", "TQ_GUARD=" + token,
        "A=TQ_GUARD=" + token + ".1", std::string("A=1")}) {
    others.push_back(start_stray(witness, {variable}, kStay));
    witness.line();
  }
  BOOST_TEST(kill_leftovers(token) == 0u);
  for (const pid_t pid : others) {
    ::kill(pid, SIGTERM);
    BOOST_TEST(signal_that_ended(pid) == SIGTERM);
  }
}

BOOST_AUTO_TEST_CASE(a_variable_behind_a_large_environment_is_found) {
  Witness witness;
  const std::string token = new_token();
  std::vector<std::string> environment;
  for (int i = 0; i < 10; ++i) environment.push_back("V" + std::to_string(i) + "=" + std::string(100'000, 'x'));
  environment.push_back("TQ_GUARD=" + token + ".1");
  // It executes nothing more: to copy so much takes long, and for that time a process has no environment.
  const pid_t pid = start_stray(witness, environment, "echo ready >&0; kill -STOP $$");
  witness.line();
  BOOST_TEST(kill_leftovers(token) == 1u);
  BOOST_TEST(signal_that_ended(pid) == SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_worker_does_not_kill_itself) {
  // Whoever runs this may be a command itself.
  const std::string token = new_token();
  ::setenv("TQ_GUARD", (token + ".1").c_str(), 1);
  BOOST_TEST(kill_leftovers(token) == 0u);
  ::unsetenv("TQ_GUARD");
}

BOOST_AUTO_TEST_SUITE_END()
