// The clock on the wall may jump ten years either way, and a machine may sleep: nothing is lost, nothing is stuck, and
// nothing that is measured in monotonic time comes early. With the real program, and libfaketime in it.
#include "time/faked_clock.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>

namespace tq::test {
namespace {

using namespace std::chrono_literals;
using Monotonic = std::chrono::steady_clock;

struct Shop {
  Sandbox sandbox;
  FakedClock clock{sandbox};
  Reports reports{sandbox};

  std::string add(const std::string& script, Words options = {}) { return sandbox.add_sh(script, std::move(options)); }
  // Runs one more job: the worker has had a turn since.
  void run_another() {
    const std::string job = add(reports.say("another"));
    BOOST_TEST(reports.next() == "another");
    sandbox.ok({"wait", job});
  }
  bool is(const std::string& job, const std::string& state) const {
    const Words jobs = lines(sandbox.ok({"ls", "-q", "--state", state}));
    return std::find(jobs.begin(), jobs.end(), job) != jobs.end();
  }
  // Fails at first; reports `first`, then `second`.
  std::string fails_once() const {
    return "if mkdir once; then " + reports.say("first") + "; exit 1; else " + reports.say("second") + "; fi";
  }
};

BOOST_FIXTURE_TEST_SUITE(jumps, Shop)

BOOST_AUTO_TEST_CASE(set_ahead_what_waits_runs_at_once) {
  add(reports.say("in an hour"), {"-d", "1h"});
  add(reports.say("in nine years"), {"-d", "78840h"});
  const BackgroundWorker worker(sandbox, {"-j1"});
  clock.advance(kTenYears);
  BOOST_TEST(reports.next() == "in an hour");
  BOOST_TEST(reports.next() == "in nine years");
}

BOOST_AUTO_TEST_CASE(set_ahead_or_back_what_runs_is_not_timed_out) {
  const std::string job =
      add(reports.say("begun") + "; mkfifo go; read line < go; " + reports.say("done"), {"--timeout", "1h"});
  const BackgroundWorker worker(sandbox, {"-j2"});
  BOOST_TEST(reports.next() == "begun");
  for (const Duration by : {kTenYears, -kTenYears, -kTenYears, kTenYears}) {
    clock.advance(by);
    run_another();
    BOOST_TEST(is(job, "running"));
  }
  sandbox.write("go", "\n");
  BOOST_TEST(reports.next() == "done");
  sandbox.ok({"wait", job});
}

BOOST_AUTO_TEST_CASE(a_time_out_comes_at_its_time_wherever_the_clock_went) {
  for (const Duration by : {kTenYears, -kTenYears}) {
    const std::string job = add(reports.say("begun") + "; sleep 600", {"--timeout", "1s"});
    const BackgroundWorker worker(sandbox);
    BOOST_TEST(reports.next() == "begun");
    const auto before = Monotonic::now();
    clock.advance(by);
    const Ended ended = sandbox.tq({"wait", job});
    BOOST_TEST(ended.code != 0);
    // What is measured here began a little after the attempt.
    BOOST_TEST((Monotonic::now() - before > 500ms));
  }
}

BOOST_AUTO_TEST_CASE(set_back_in_the_middle_of_a_retry_the_wait_is_no_longer_than_it_was) {
  const std::string job = add(fails_once(), {"--retries", "1", "--backoff", "const:2s"});
  const BackgroundWorker worker(sandbox);
  BOOST_TEST(reports.next() == "first");
  sandbox.wait_for("retrying");
  const auto before = Monotonic::now();
  clock.advance(-24h);
  BOOST_TEST(reports.next() == "second");
  BOOST_TEST((Monotonic::now() - before > 1s));
  sandbox.ok({"wait", job});
}

BOOST_AUTO_TEST_CASE(set_back_by_ten_years_a_wait_for_a_span_is_no_longer_than_it_was) {
  add(reports.say("span"), {"-d", "1s"});
  const BackgroundWorker worker(sandbox);
  clock.advance(-kTenYears);
  BOOST_TEST(reports.next() == "span");
}

BOOST_AUTO_TEST_CASE(set_back_what_waits_for_a_time_waits_for_that_time) {
  const std::string job = add(reports.say("then"), {"--at", "+1h"});
  const BackgroundWorker worker(sandbox);
  clock.advance(-24h);
  run_another();
  BOOST_TEST(is(job, "scheduled"));
  clock.advance(25h);
  BOOST_TEST(reports.next() == "then");
}

BOOST_AUTO_TEST_CASE(set_back_what_is_ready_runs_and_what_ran_has_its_result) {
  const std::string old = add("echo kept");
  sandbox.drain();
  clock.advance(-kTenYears);
  const BackgroundWorker worker(sandbox);
  run_another();
  BOOST_TEST(sandbox.ok({"log", old}) == "kept\n");
  BOOST_TEST(is(old, "succeeded"));
}

BOOST_AUTO_TEST_CASE(what_was_asleep_goes_on_and_runs_nothing_twice) {
  for (const Duration by : {Duration(1h), kTenYears, -kTenYears}) {
    const std::string job = add(reports.say("begun") + "; sleep 0.2; " + reports.say("done"), {"--timeout", "1h"});
    add(reports.say("later"), {"-d", "1h", "-p", "9"});
    BackgroundWorker worker(sandbox);
    BOOST_TEST(reports.next() == "begun");
    suspend(worker.process().pid());
    clock.advance(by);
    // Another worker takes nothing of what it has. If it slept in the middle of a commit, that one waits.
    Process other = sandbox.start({"worker", "--drain", "-j1"});
    resume(worker.process().pid());
    other.finish();
    std::vector<std::string> told;
    while (told.size() < (by > 0h ? 2u : 1u)) told.push_back(reports.next());
    run_another();
    sandbox.ok({"wait", job});
    if (by < 0h) sandbox.ok({"cancel", std::to_string(std::stoul(job) + 1)});
  }
}

// --- what is seen here, seen to fail ---

BOOST_AUTO_TEST_CASE(one_who_is_not_told_that_the_clock_was_set_is_stuck) {
  sandbox.env["TQ_TEST_DEAF"] = "1";
  const BackgroundWorker worker(sandbox);
  bool was_stuck = false;
  for (int i = 0; i < 20 && !was_stuck; ++i) {
    add(reports.say("in an hour"), {"-d", "1h"});
    run_another();
    clock.advance(2h);  // it may be taking a turn right now
    was_stuck = !reports.next_within(300ms).has_value();
  }
  BOOST_TEST(was_stuck);
  add("true");
  BOOST_TEST(reports.next() == "in an hour");
}

BOOST_AUTO_TEST_CASE(one_whose_monotonic_clock_jumps_too_is_early) {
  const std::string job = add(reports.say("begun") + "; sleep 600", {"--timeout", "1h"});
  sandbox.env.erase("DONT_FAKE_MONOTONIC");
  const BackgroundWorker worker(sandbox);
  BOOST_TEST(reports.next() == "begun");
  clock.advance(kTenYears);
  add("true");
  BOOST_TEST(sandbox.tq({"wait", "--timeout", "30s", job}).code != 0);
  BOOST_TEST(!is(job, "running"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
