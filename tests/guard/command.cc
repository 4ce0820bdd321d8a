// How a command starts.
#include "loop/commands.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

using namespace tq::test;
using tq::loop::ChildSpec;

namespace {

// What the command writes, having ended well.
std::string output_of(ChildSpec spec) {
  Commands commands;
  const Ran& ran = commands.start(std::move(spec));
  commands.wait(ran);
  BOOST_TEST(ran.exit.error == "");
  BOOST_TEST(ran.exit.exit_code() == 0);
  BOOST_TEST(ran.err == "");
  return ran.out;
}

// How it did not start.
tq::loop::ChildExit failure_of(ChildSpec spec) {
  Commands commands;
  const Ran& ran = commands.start(std::move(spec));
  commands.wait(ran);
  BOOST_TEST(ran.ended == 1);
  BOOST_TEST(ran.exit.kind == Kind::not_started);
  BOOST_TEST(ran.out + ran.err == "");
  return ran.exit;
}

void write_file(const std::string& path, const std::string& text, mode_t mode) {
  std::ofstream(path) << text;
  BOOST_REQUIRE(::chmod(path.c_str(), mode) == 0);
}

std::string lines(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += text + '\n';
  return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(guard_command)

BOOST_AUTO_TEST_CASE(a_command_gets_exactly_its_arguments) {
  const std::vector<std::string> arguments{"", " ", "two words", "-n", "'\"$HOME`\\", "\n", "\xff\x01"};
  ChildSpec spec{.argv = {"printf", "<%s>"}};
  std::string expected;
  for (const std::string& argument : arguments) {
    spec.argv.push_back(argument);
    expected += "<" + argument + ">";
  }
  BOOST_TEST(output_of(std::move(spec)) == expected);
}

BOOST_AUTO_TEST_CASE(a_command_gets_exactly_its_environment_and_the_marker) {
  Commands commands;
  ChildSpec spec{.argv = {"/usr/bin/env"}, .env = {{"A", "1"}, {"B", ""}, {"C", "x=y z"}}};
  const Ran& ran = commands.start(std::move(spec));
  commands.wait(ran);
  BOOST_TEST(ran.out == lines({"A=1", "B=", "C=x=y z", "TQ_GUARD=" + commands.token + "." + std::to_string(ran.id)}));
}

BOOST_AUTO_TEST_CASE(a_marker_of_whoever_made_the_command_is_replaced) {
  // Else this command would be killed with those of the other worker.
  Commands commands;
  const Ran& ran = commands.start({.argv = {"/usr/bin/env"}, .env = {{"TQ_GUARD", "another.1"}, {"A", "1"}}});
  commands.wait(ran);
  BOOST_TEST(ran.out == lines({"A=1", "TQ_GUARD=" + commands.token + "." + std::to_string(ran.id)}));
}

BOOST_AUTO_TEST_CASE(a_command_starts_in_its_directory) {
  const TempDir directory;
  BOOST_TEST(output_of({.argv = {"/bin/pwd"}, .cwd = directory.path()}) == directory.path() + "\n");
}

BOOST_AUTO_TEST_CASE(a_name_is_looked_up_in_the_command_s_own_path) {
  const TempDir directory;
  write_file(directory / "tq-test-name", "#!/bin/sh\necho found $0\n", 0755);
  const std::string path = "/nowhere:" + directory.path() + ":/usr/bin";
  BOOST_TEST(output_of({.argv = {"tq-test-name"}, .env = {{"PATH", path}}}) ==
             "found " + (directory / "tq-test-name") + "\n");
  // An empty element is the directory in which it starts.
  BOOST_TEST(output_of({.argv = {"tq-test-name"}, .env = {{"PATH", "/nowhere:"}}, .cwd = directory.path()}) ==
             "found tq-test-name\n");
  BOOST_TEST(failure_of({.argv = {"tq-test-name"}, .env = {{"PATH", "/usr/bin"}}}).exit_code() == 127);
}

BOOST_AUTO_TEST_CASE(without_a_path_the_usual_directories_are_looked_into) {
  BOOST_TEST(output_of({.argv = {"echo", "here"}}) == "here\n");
}

BOOST_AUTO_TEST_CASE(a_name_with_a_slash_is_not_looked_up) {
  const TempDir directory;
  BOOST_REQUIRE(::mkdir((directory / "bin").c_str(), 0700) == 0);
  write_file(directory / "bin/run", "#!/bin/sh\necho ran\n", 0755);
  BOOST_TEST(output_of({.argv = {"bin/run"}, .env = {{"PATH", "/nowhere"}}, .cwd = directory.path()}) == "ran\n");
}

BOOST_AUTO_TEST_CASE(a_file_that_may_not_be_run_is_passed_over_for_a_later_one) {
  const TempDir first;
  const TempDir second;
  write_file(first / "tq-test-name", "#!/bin/sh\necho first\n", 0644);
  write_file(second / "tq-test-name", "#!/bin/sh\necho second\n", 0755);
  const std::string path = first.path() + ":" + second.path();
  BOOST_TEST(output_of({.argv = {"tq-test-name"}, .env = {{"PATH", path}}}) == "second\n");
}

BOOST_AUTO_TEST_CASE(a_command_that_is_not_there_is_127) {
  for (const std::string& name : {std::string("tq-no-such-command"), std::string("/nowhere/tq"), std::string()}) {
    const auto exit = failure_of({.argv = {name}});
    BOOST_TEST(exit.code == ENOENT);
    BOOST_TEST(exit.exit_code() == 127);
    BOOST_TEST(exit.error == "cannot run '" + name + "': No such file or directory");
  }
}

BOOST_AUTO_TEST_CASE(a_command_that_may_not_be_run_is_126) {
  const TempDir directory;
  write_file(directory / "plain", "#!/bin/sh\n", 0644);
  const auto exit = failure_of({.argv = {directory / "plain"}});
  BOOST_TEST(exit.code == EACCES);
  BOOST_TEST(exit.exit_code() == 126);
  BOOST_TEST(exit.error == "cannot run '" + (directory / "plain") + "': Permission denied");
  BOOST_TEST(failure_of({.argv = {"plain"}, .env = {{"PATH", directory.path()}}}).exit_code() == 126);
  BOOST_TEST(failure_of({.argv = {directory.path()}}).exit_code() == 126);
}

BOOST_AUTO_TEST_CASE(a_script_without_a_first_line_is_126_with_a_reason) {
  const TempDir directory;
  write_file(directory / "script", "echo hello\n", 0755);
  const auto exit = failure_of({.argv = {directory / "script"}});
  BOOST_TEST(exit.code == ENOEXEC);
  BOOST_TEST(exit.exit_code() == 126);
  BOOST_TEST(exit.error == "cannot run '" + (directory / "script") +
                               "': it is no program, nor a script whose first line names one (such as #!/bin/sh)");
}

BOOST_AUTO_TEST_CASE(a_script_whose_interpreter_is_missing_says_so) {
  const TempDir directory;
  write_file(directory / "script", "#!/nowhere/sh\n", 0755);
  for (const std::string& name : {directory / "script", std::string("script")}) {
    const auto exit = failure_of({.argv = {name}, .env = {{"PATH", directory.path()}}});
    BOOST_TEST(exit.exit_code() == 127);
    BOOST_TEST(exit.error == "cannot run '" + name + "': the interpreter that it names is not there");
  }
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_gone_is_126) {
  const auto exit = failure_of({.argv = {"true"}, .cwd = "/nowhere/at/all"});
  BOOST_TEST(exit.code == ENOENT);
  BOOST_TEST(exit.exit_code() == 126);
  BOOST_TEST(exit.error == "cannot change to the directory '/nowhere/at/all': No such file or directory");
}

BOOST_AUTO_TEST_CASE(nothing_to_run_and_texts_with_nul_are_refused) {
  BOOST_TEST(failure_of({}).error == "there is no command to run");
  const std::string nul("a\0b", 3);
  for (const ChildSpec& spec : {ChildSpec{.argv = {"true", nul}}, ChildSpec{.argv = {"true"}, .env = {{"A", nul}}},
                                ChildSpec{.argv = {"true"}, .cwd = "/" + nul}}) {
    ChildSpec copy{.argv = spec.argv, .env = spec.env, .cwd = spec.cwd};
    const auto exit = failure_of(std::move(copy));
    BOOST_TEST(exit.code == EINVAL);
    BOOST_TEST(exit.error == "a command's texts cannot hold a NUL byte");
  }
}

BOOST_AUTO_TEST_CASE(standard_input_is_what_was_given) {
  tq::base::Fd file(::memfd_create("input", MFD_CLOEXEC));
  const std::string bytes("one\0two\xff\n", 9);
  tq::base::write_all(file.get(), bytes, "input");
  BOOST_REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
  BOOST_TEST(output_of({.argv = {"cat"}, .input = std::move(file)}) == bytes);
}

BOOST_AUTO_TEST_CASE(standard_input_is_empty_if_none_was_given) {
  BOOST_TEST(output_of({.argv = {"cat"}}) == "");
  BOOST_TEST(output_of({.argv = {"readlink", "/proc/self/fd/0"}}) == "/dev/null\n");
}

BOOST_AUTO_TEST_CASE(a_command_has_three_descriptors) {
  BOOST_TEST(output_of({.argv = {"sh", "-c", "ls /proc/$$/fd; true"}}) == "0\n1\n2\n");
}

BOOST_AUTO_TEST_CASE(a_command_has_a_session_of_its_own) {
  // pid (name) state parent group session
  BOOST_TEST(output_of({.argv = {"sh", "-c",
                                 "read pid name state parent group session rest </proc/$$/stat; "
                                 "echo $((group - pid)) $((session - pid))"}}) == "0 0\n");
}

BOOST_AUTO_TEST_CASE(a_command_s_signals_are_at_their_defaults_whatever_the_worker_s_are) {
  const auto before = std::signal(SIGUSR1, SIG_IGN);
  sigset_t blocked;
  sigset_t mask;
  ::sigemptyset(&blocked);
  ::sigaddset(&blocked, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &mask);
  const std::string status = output_of({.argv = {"grep", "^Sig[BI]", "/proc/self/status"}});
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  std::signal(SIGUSR1, before);
  BOOST_TEST(status == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

BOOST_AUTO_TEST_CASE(two_megabytes_of_arguments_and_environment_arrive) {
  ChildSpec spec{.argv = {"sh", "-c", "printf '%s\\n' \"$@\"; exec /usr/bin/env", "sh"}};
  const std::string piece(104'000, 'x');
  std::vector<std::string> arguments;
  std::vector<std::string> variables;
  for (int i = 0; i < 10; ++i) {
    arguments.push_back(piece + std::to_string(i));
    spec.argv.push_back(arguments.back());
    variables.push_back("V" + std::to_string(i) + "=" + piece);
    spec.env.emplace_back("V" + std::to_string(i), piece);
  }
  const std::string output = output_of(std::move(spec));
  BOOST_TEST((output.substr(0, lines(arguments).size()) == lines(arguments)));
  for (const std::string& variable : variables) BOOST_TEST((output.find("\n" + variable + "\n") != output.npos));
}

BOOST_AUTO_TEST_CASE(a_command_of_usual_size_has_the_worker_s_limits) {
  const tq::base::Fd file = tq::base::open_file("/proc/self/limits", O_RDONLY);
  const std::string limits = tq::base::read_all(file.get(), "limits");
  BOOST_TEST(output_of({.argv = {"cat", "/proc/self/limits"}}) == limits);
}

BOOST_AUTO_TEST_CASE(an_argument_that_the_kernel_finds_too_long_is_an_error) {
  const auto exit = failure_of({.argv = {"true", std::string(200'000, 'x')}});
  BOOST_TEST(exit.code == E2BIG);
  BOOST_TEST(exit.error == "cannot run 'true': Argument list too long");
}

BOOST_AUTO_TEST_SUITE_END()
