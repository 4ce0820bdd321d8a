// A limit on the size of files (ulimit -f), at any place of a script. With SIGXFSZ as it is by default the process dies of it,
// which is the host's choice, as if it were killed; where it is ignored, as in `tq`, it is a failure that is said. Either way
// nothing that was acknowledged is lost, and all works again without the limit.
#include "failing_calls/child.hpp"
#include "support/process.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

#include <tq/task_queue.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <set>
#include <sys/resource.h>

namespace tq {
namespace {

using test::Ended;
using test::Random;
using test::run_child;
using test::TempDir;
namespace utf = boost::unit_test;

std::size_t runs = 0;
std::size_t deaths = 0;
std::size_t failures = 0;

// For the processes that are started meanwhile.
class Limit {
 public:
  Limit(rlim_t bytes, bool ignored) : signal_(std::signal(SIGXFSZ, ignored ? SIG_IGN : SIG_DFL)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~Limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }
  Limit(const Limit&) = delete;
  Limit& operator=(const Limit&) = delete;

 private:
  rlimit before_{};
  void (*signal_)(int);
};

// The script under the limit, and what the judge makes of it.
void try_out(rlim_t bytes, bool ignored) {
  BOOST_TEST_CONTEXT("a limit of " << bytes << " bytes, SIGXFSZ " << (ignored ? "ignored" : "as it is")) {
    const TempDir dir;
    Ended script;
    {
      const Limit limit(bytes, ignored);
      script = run_child({TQ_TEST_SCRIPT, dir / "jobs.tq"}, {});
    }
    const bool died = script.status == 128 + SIGXFSZ;
    BOOST_TEST((script.status == 0 || (died && !ignored)), "it ended with " << script.status << "\n" << script.said);
    const Ended judge = run_child({TQ_TEST_JUDGE, dir / "jobs.tq"}, {}, script.said);
    BOOST_TEST(judge.said == "judged\n", judge.said << script.said);
    ++runs;
    deaths += died ? 1u : 0u;
    failures += script.said.find("\nfailed ") != std::string::npos ? 1u : 0u;
  }
}

Ended tq(const TempDir& dir, std::vector<std::string> words, const std::string& input = {}) {
  std::vector<std::string> argv = {"/bin/sh", "-c",           "exec \"$@\" 2>&1", "sh", std::getenv("TQ_BIN"),
                                   "-f",      dir / "jobs.tq"};
  argv.insert(argv.end(), words.begin(), words.end());
  return run_child(argv, {}, input);
}

// Until it says that there is no room; a limit that is too small for a store at all says so at once.
std::set<JobId> add_until_refused(const TempDir& dir) {
  std::set<JobId> ids;
  for (;;) {
    const Ended added = tq(dir, {"-q", "put", "--raw", "task", "-"}, std::string(1000, 'x'));
    if (added.status == 0) {
      BOOST_REQUIRE(ids.insert(std::stoull(added.said)).second);
      continue;
    }
    BOOST_TEST(added.status == 7, "it ended with " << added.status << ": " << added.said);
    BOOST_TEST(std::count(added.said.begin(), added.said.end(), '\n') == 1, added.said);
    return ids;
  }
}

BOOST_AUTO_TEST_SUITE(file_size)

BOOST_AUTO_TEST_CASE(whatever_the_limit_nothing_is_lost) {
  Random random;
  const char* const rounds = std::getenv("TQ_TEST_ROUNDS");
  for (int left = rounds != nullptr ? std::atoi(rounds) : 20; left > 0; --left) {
    const std::uint64_t most = random.chance(50) ? 200'000 : 8'000'000;  // the intake has 4 MiB
    const rlim_t bytes = random.below(most);
    try_out(bytes, false);
    try_out(bytes, true);
  }
  BOOST_TEST(deaths > 0u);
  BOOST_TEST(failures > 0u);
}

BOOST_AUTO_TEST_CASE(tq_says_that_a_file_may_not_grow) {
  for (const rlim_t bytes : {1'000u, 100'000u, 1'500'000u, 1'700'000u}) {
    const TempDir dir;
    std::set<JobId> ids;
    {
      const Limit limit(bytes, false);
      ids = add_until_refused(dir);
      const int drained = tq(dir, {"worker", "--drain", "-j", "2"}).status;
      BOOST_TEST((drained == 0 || drained == 6 || drained == 7), "the worker ended with " << drained);
    }
    TaskQueue queue(dir / "jobs.tq");
    for (const JobId id : ids) BOOST_TEST(queue.get(id).has_value(), "job " << id << " is lost");
    BOOST_TEST(tq(dir, {"add", "--", "true"}).status == 0);
    BOOST_TEST(tq(dir, {"worker", "--drain"}).status == 0);
    BOOST_TEST(queue.check(true).problems == std::vector<std::string>(), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(it_is_proved, *utf::depends_on("file_size/whatever_the_limit_nothing_is_lost") *
                                       utf::depends_on("file_size/tq_says_that_a_file_may_not_grow")) {
  std::cout << "proved: " << runs << " runs under a limit on the size of files (seed " << test::test_seed() << "), "
            << deaths << " of which died of SIGXFSZ: 0 acknowledged jobs lost, and tq says so\n";
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
