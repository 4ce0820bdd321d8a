#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <sys/stat.h>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_log)

BOOST_AUTO_TEST_CASE(prints_both_streams_or_the_errors_alone) {
  const Sandbox sandbox;
  sandbox.add_sh("echo out; echo err >&2");
  sandbox.drain();
  Words both = lines(sandbox.ok({"log", "1"}));
  std::sort(both.begin(), both.end());
  BOOST_TEST(both == (Words{"err", "out"}));
  BOOST_TEST(sandbox.ok({"log", "--stderr", "1"}) == "err\n");
}

BOOST_AUTO_TEST_CASE(prints_the_last_lines) {
  const Sandbox sandbox;
  sandbox.add_sh("printf 'a\\nb\\n\\nc'");
  sandbox.add_sh("printf 'a\\nb\\n'");
  sandbox.drain();
  const auto last = [&](const std::string& count, const std::string& id) {
    return sandbox.ok({"log", "-n", count, id});
  };
  BOOST_TEST(last("1", "1") == "c");
  BOOST_TEST(last("2", "1") == "\nc");
  BOOST_TEST(last("3", "1") == "b\n\nc");
  BOOST_TEST(last("4", "1") == "a\nb\n\nc");
  BOOST_TEST(last("99", "1") == "a\nb\n\nc");
  BOOST_TEST(last("0", "1") == "");
  BOOST_TEST(last("1", "2") == "b\n");
  BOOST_TEST(last("2", "2") == "a\nb\n");
}

BOOST_AUTO_TEST_CASE(the_last_lines_may_lie_in_several_pieces) {
  const Sandbox sandbox;
  // Each is handed to the store by itself, because it waits for the one before to be seen; through a FIFO of its own, for who
  // reads one again may find the writer of before still there.
  sandbox.add_sh("i=0; while [ $i -lt 4 ]; do printf \"x$i\\ny\"; read go < fifo$i; i=$((i+1)); done");
  const auto fifo = [](int i) { return "fifo" + std::to_string(i); };
  for (int i = 0; i < 4; ++i) BOOST_REQUIRE(::mkfifo(sandbox.path(fifo(i)).c_str(), 0600) == 0);
  BackgroundWorker worker(sandbox);
  Process follow = sandbox.start({"log", "-f", "1"});
  for (int i = 0; i < 4; ++i) {
    follow.read_until("x" + std::to_string(i) + "\ny");
    sandbox.write(fifo(i), "\n");
  }
  BOOST_TEST(follow.finish().out == "x0\nyx1\nyx2\nyx3\ny");
  BOOST_TEST(sandbox.ok({"log", "-n", "2", "1"}) == "yx3\ny");
  BOOST_TEST(sandbox.ok({"log", "-n", "3", "1"}) == "yx2\nyx3\ny");
}

BOOST_AUTO_TEST_CASE(prints_one_attempt) {
  const Sandbox sandbox;
  sandbox.add_sh("echo try $TQ_ATTEMPT; exit 1", {"--retries", "1", "--backoff", "const:1ms"});
  BackgroundWorker worker(sandbox);
  sandbox.tq({"wait", "1"});
  BOOST_TEST(sandbox.ok({"log", "1"}) == "try 1\ntry 2\n");
  BOOST_TEST(sandbox.ok({"log", "--attempt", "2", "1"}) == "try 2\n");
  BOOST_TEST(sandbox.ok({"log", "--attempt", "3", "1"}) == "");
}

BOOST_AUTO_TEST_CASE(follows_what_comes_until_the_end_and_ends_with_the_code) {
  const Sandbox sandbox;
  BOOST_REQUIRE(::mkfifo(sandbox.path("fifo").c_str(), 0600) == 0);
  sandbox.add_sh("echo early; read go < fifo; echo late; exit 4");
  BackgroundWorker worker(sandbox);
  Process follow = sandbox.start({"log", "-f", "1"});
  follow.read_until("early\n");
  sandbox.write("fifo", "\n");
  const Ended ended = follow.finish();
  TQ_CHECK_ENDED(ended, 4);
  BOOST_TEST(ended.out == "early\nlate\n");
  const Ended again = sandbox.tq({"log", "-f", "-n", "1", "1"});
  TQ_CHECK_ENDED(again, 4);
  BOOST_TEST(again.out == "late\n");
}

BOOST_AUTO_TEST_CASE(follows_a_job_that_has_not_begun) {
  const Sandbox sandbox;
  sandbox.add_sh("echo hi");
  Process follow = sandbox.start({"log", "-f", "1"});
  sandbox.drain();
  const Ended ended = follow.finish();
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(ended.out == "hi\n");
}

BOOST_AUTO_TEST_CASE(several_have_titles) {
  const Sandbox sandbox;
  sandbox.add_sh("echo a");
  sandbox.add_sh("echo b");
  sandbox.ok({"worker", "--drain", "-j", "1"});
  BOOST_TEST(sandbox.ok({"log", "1-2"}) == "==> job 1 <==\na\n==> job 2 <==\nb\n");
}

BOOST_AUTO_TEST_CASE(says_what_was_not_kept) {
  const Sandbox sandbox;
  sandbox.add_sh("head -c 9000000 /dev/zero");
  sandbox.drain();
  const Ended ended = sandbox.tq({"log", "1"});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(ended.out.size() < 9000000u);
  BOOST_TEST(contains(ended.err, "from the middle of the output were not kept"));
}

BOOST_AUTO_TEST_CASE(refuses_what_cannot_be_followed) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  check_refused(sandbox.tq({"log", "-f", "1", "2"}), 2, "-f follows one job");
  check_refused(sandbox.tq({"log", "-f", "9"}), 125, "there is no job 9");
  check_refused(sandbox.tq({"log", "9"}), 3, "there is no job 9");
  check_refused(sandbox.tq({"log", "-n", "-1", "1"}), 2, "--lines");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
