#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(cli_worker)

BOOST_AUTO_TEST_CASE(drain_runs_all_that_can_be_run) {
  const Sandbox sandbox;
  for (int i = 0; i < 5; ++i) sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "-d", "1h", "--", "true"});
  const Ended ended = sandbox.tq({"worker", "--drain"});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(ended.out == "");
  BOOST_TEST(ended.err == "");
  BOOST_TEST(lines(sandbox.ok({"ls", "-q", "--state", "succeeded"})).size() == 5u);
  BOOST_TEST(sandbox.tq({"worker", "--drain"}).code == 6);
}

BOOST_AUTO_TEST_CASE(once_runs_one) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"add", "--", "true"});
  sandbox.ok({"worker", "--once", "-j", "4"});
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "ready"}) == "2\n");
  sandbox.ok({"worker", "--once"});
  BOOST_TEST(sandbox.tq({"worker", "--once"}).code == 6);
}

BOOST_AUTO_TEST_CASE(takes_its_queues_in_their_order) {
  const Sandbox sandbox;
  for (const std::string name : {"a", "b", "c"}) sandbox.add_sh("echo $TQ_QUEUE >> order", {"-Q", name});
  sandbox.ok({"worker", "--drain", "-j1", "-Q", "c,a"});
  BOOST_TEST(sandbox.read("order") == "c\na\n");
}

BOOST_AUTO_TEST_CASE(creates_the_store_and_waits_for_jobs) {
  const Sandbox sandbox;
  BackgroundWorker worker(sandbox);
  BOOST_TEST(sandbox.ok({"add", "-w", "--", "true"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(runs_so_many_at_a_time) {
  const Sandbox sandbox;
  BackgroundWorker worker(sandbox, {"--jobs=2"});
  // Each goes on only when the other has begun.
  BOOST_TEST(sandbox.tq({"add", "--", "mkfifo", "fifo"}).code == 0);
  BOOST_TEST(sandbox.tq({"wait", "1"}).code == 0);
  sandbox.add_sh("echo > fifo");
  sandbox.add_sh("read line < fifo");
  BOOST_TEST(sandbox.tq({"wait", "2-3"}).code == 0);
}

BOOST_AUTO_TEST_CASE(the_first_signal_lets_what_runs_finish) {
  const Sandbox sandbox;
  sandbox.add_sh("mkfifo fifo; echo begun; read line < fifo; echo done");
  sandbox.add_sh("true");
  Process worker = sandbox.start({"worker", "-j1", "-v"});
  sandbox.wait_for("worker_started");
  Process follow = sandbox.start({"log", "-f", "1"});
  follow.read_until("begun");
  worker.signal(SIGTERM);
  worker.read_errors_until("stopping:");
  sandbox.write("fifo", "\n");
  TQ_CHECK_ENDED(worker.finish(), 0);
  BOOST_TEST(follow.finish().out == "begun\ndone\n");
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "ready"}) == "2\n");
}

BOOST_AUTO_TEST_CASE(the_second_signal_queues_it_again) {
  const Sandbox sandbox;
  sandbox.add_sh("echo begun; sleep 60");
  Process worker = sandbox.start({"worker", "-v"});
  worker.read_errors_until("started");
  worker.signal(SIGTERM);
  worker.signal(SIGINT);
  const Ended ended = worker.finish();
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(contains(ended.err, "interrupted"));
  const JobInfo job = TaskQueue(std::filesystem::path(sandbox.store())).get(1).value();
  BOOST_TEST((job.state == State::ready));
  BOOST_TEST(job.attempt == 0u);
  BOOST_TEST(job.crashes == 0u);
}

BOOST_AUTO_TEST_CASE(what_runs_longer_than_the_grace_is_queued_again) {
  const Sandbox sandbox;
  sandbox.add_sh("sleep 60");
  Process worker = sandbox.start({"worker", "--grace", "10ms", "-v"});
  worker.read_errors_until("started");
  worker.signal(SIGTERM);
  TQ_CHECK_ENDED(worker.finish(), 0);
  BOOST_TEST(sandbox.ok({"ls", "-q", "--state", "ready"}) == "1\n");
}

BOOST_AUTO_TEST_CASE(a_job_that_kills_its_worker_is_failed_in_the_end) {
  const Sandbox sandbox;
  sandbox.add_sh("echo begun; sleep 60");
  for (int i = 0; i < 2; ++i) {
    Process worker = sandbox.start({"worker", "--max-crashes", "2", "-v"});
    worker.read_errors_until("started");
    worker.signal(SIGKILL);
    TQ_CHECK_ENDED(worker.finish(), 128 + SIGKILL);
  }
  BackgroundWorker third(sandbox);  // sees the death of the second, should that take a moment
  const Ended ended = sandbox.tq({"wait", "1"});
  TQ_CHECK_ENDED(ended, 1);
  BOOST_TEST(contains(ended.err, "its worker died 2 times"));
}

BOOST_AUTO_TEST_CASE(says_on_request_what_starts_and_ends) {
  const Sandbox sandbox;
  sandbox.add_sh("exit 0");
  sandbox.add_sh("exit 3", {"--retries", "1", "--backoff", "const:1h"});
  const Ended ended = sandbox.tq({"worker", "--drain", "-v", "-j1"});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(ended.out == "");
  BOOST_TEST(contains(ended.err, "1 job at a time, all queues"));
  BOOST_TEST(contains(ended.err, "1 started     sh -c 'exit 0'"));
  BOOST_TEST(contains(ended.err, "1 succeeded   ("));
  BOOST_TEST(contains(ended.err, "2 retrying    exit status 3 ("));
  BOOST_TEST(contains(ended.err, "2 attempts run"));
  BOOST_TEST(!contains(ended.err, "\x1b"));
  sandbox.ok({"retry", "2"});
  BOOST_TEST(sandbox.tq({"-q", "worker", "--drain", "-v"}).err == "");
}

BOOST_AUTO_TEST_CASE(absurd_numbers_are_refused) {
  const Sandbox sandbox;
  for (const std::string bad : {"0", "-1", "1025", "x", "", "1.5", "99999999999999999999"}) {
    const Ended ended = sandbox.tq({"worker", "--drain", "--jobs=" + bad});
    TQ_CHECK_ENDED(ended, 2);
    BOOST_TEST(contains(ended.err, "--jobs"));
  }
  check_refused(sandbox.tq({"worker", "--max-crashes", "0", "--drain"}), 2, "--max-crashes: '0' is out of bounds");
  check_refused(sandbox.tq({"worker", "--grace", "-1s", "--drain"}), 2, "--grace");
  check_refused(sandbox.tq({"worker", "-Q", "a,,b", "--drain"}), 2, "the queue name is empty");
}

BOOST_AUTO_TEST_CASE(a_directory_that_is_gone_fails_the_job) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--cwd", "nowhere", "--", "true"});
  sandbox.drain();
  BOOST_TEST(contains(sandbox.tq({"wait", "1"}).err, "nowhere"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
