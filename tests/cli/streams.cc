// Standard descriptors that are closed, full, or not read any more.
#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

Ended with_output(const Sandbox& sandbox, Words arguments, Stdout output) {
  Start start = sandbox.how(std::move(arguments));
  start.standard_output = output;
  return Process(start).finish();
}

BOOST_AUTO_TEST_SUITE(cli_streams)

BOOST_AUTO_TEST_CASE(a_full_device_is_an_error) {
  const Sandbox sandbox;
  sandbox.add_sh("echo hi");
  sandbox.drain();
  for (const Words& arguments :
       {Words{"ls"}, Words{"--help"}, Words{"--version"}, Words{"stats"}, Words{"log", "1"}, Words{"events", "-f"},
        Words{"status", "--json"}, Words{"completions", "bash"}, Words{"add", "--", "true"}}) {
    const Ended ended = with_output(sandbox, arguments, Stdout::full);
    TQ_CHECK_ENDED(ended, 7);
    BOOST_TEST(ended.err == "tq: cannot write to the standard output: No space left on device\n");
  }
  TQ_CHECK_ENDED(with_output(sandbox, {"log", "-f", "1"}, Stdout::full), 125);
  TQ_CHECK_ENDED(with_output(sandbox, {"run", "--", "echo", "hi"}, Stdout::full), 125);
}

BOOST_AUTO_TEST_CASE(nobody_reading_is_a_quiet_end) {
  const Sandbox sandbox;
  sandbox.add_sh("echo hi");
  sandbox.drain();
  for (const Words& arguments : {Words{"ls"}, Words{"--help"}, Words{"stats"}, Words{"log", "1"},
                                 Words{"log", "-f", "1"}, Words{"events", "-f"}}) {
    const Ended ended = with_output(sandbox, arguments, Stdout::unread);
    TQ_CHECK_ENDED(ended, 141);
    BOOST_TEST(ended.err == "");
  }
}

BOOST_AUTO_TEST_CASE(a_closed_output_is_an_error_and_never_the_store) {
  const Sandbox sandbox;
  const Ended added = with_output(sandbox, {"add", "--", "true"}, Stdout::closed);
  TQ_CHECK_ENDED(added, 7);
  BOOST_TEST(added.err == "tq: cannot write to the standard output: Bad file descriptor\n");
  TQ_CHECK_ENDED(with_output(sandbox, {"ls"}, Stdout::closed), 7);
  TQ_CHECK_ENDED(with_output(sandbox, {"worker", "--drain"}, Stdout::closed), 0);  // it prints nothing
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "succeeded"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(a_closed_input_matters_only_where_it_is_read) {
  const Sandbox sandbox;
  const auto without_input = [&](Words arguments) {
    Start start = sandbox.how(std::move(arguments));
    start.standard_input = Stdin::closed;
    return Process(start).finish();
  };
  TQ_CHECK_ENDED(without_input({"add", "--", "cat"}), 0);
  TQ_CHECK_ENDED(without_input({"worker", "--drain"}), 0);
  TQ_CHECK_ENDED(without_input({"run", "--", "cat"}), 0);
  for (const Words& arguments :
       {Words{"put", "t", "-"}, Words{"put", "--batch", "-"}, Words{"add", "--stdin", "-", "--", "cat"}}) {
    const Ended ended = without_input(arguments);
    TQ_CHECK_ENDED(ended, 7);
    BOOST_TEST(contains(ended.err, "cannot read the standard input: Bad file descriptor"));
  }
}

BOOST_AUTO_TEST_CASE(a_long_output_through_a_slow_reader_is_whole) {
  const Sandbox sandbox;
  sandbox.add_sh("seq 100000");
  sandbox.drain();
  const std::string out = sandbox.ok({"log", "1"});
  BOOST_TEST(lines(out).size() == 100000u);
  BOOST_TEST(out.ends_with("\n99999\n100000\n"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
