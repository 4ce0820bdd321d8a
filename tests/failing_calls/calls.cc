// The n-th call fails, for every n: a script (script.cc) runs with a shim (shim.cc) that makes one call fail, or all from one
// on, and afterwards a judge (judge.cc) looks at what is left. Nothing that was acknowledged is lost, what fails says so in a
// sentence, nobody crashes or hangs, and all works again.
//
// TQ_TEST_ROUNDS sets how many calls fail at most (0: every one, also every allocation), TQ_TEST_SEED which.
#include "failing_calls/child.hpp"
#include "failing_calls/shim.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <thread>

namespace tq {
namespace {

using test::Ended;
using test::Random;
using test::run_child;
using test::TempDir;

// How a call fails.
struct Kind {
  std::string of;  // class of call
  int code = 0;
  std::string mode;
  std::string text() const { return of + ':' + std::to_string(code) + ':' + mode; }
};

const std::vector<Kind> kKinds = {
    {"write", EIO, "once"},    {"write", ENOSPC, "once"},   {"write", EINTR, "once"},  {"write", ENOSPC, "half"},
    {"write", EIO, "sticky"},  {"write", ENOSPC, "sticky"}, {"sync", EIO, "once"},     {"sync", ENOSPC, "once"},
    {"sync", EINTR, "once"},   {"sync", EIO, "sticky"},     {"open", EIO, "once"},     {"open", EINTR, "once"},
    {"open", EMFILE, "once"},  {"open", ENOSPC, "sticky"},  {"read", EIO, "once"},     {"read", EINTR, "once"},
    {"space", ENOSPC, "once"}, {"space", EIO, "once"},      {"space", EINTR, "once"},  {"space", ENOSPC, "sticky"},
    {"name", EIO, "once"},     {"name", ENOSPC, "once"},    {"lock", ENOLCK, "once"},  {"lock", EINTR, "once"},
    {"mmap", ENOMEM, "once"},  {"mmap", ENOMEM, "sticky"},  {"start", EAGAIN, "once"}, {"start", EAGAIN, "sticky"},
    {"alloc", ENOMEM, "once"}, {"alloc", ENOMEM, "sticky"},
};

// A call to fail: the number-th of its class.
struct Failure {
  const Kind* kind = nullptr;
  long number = 0;
  std::string text() const {
    return kind->of + ':' + std::to_string(number) + ':' + std::to_string(kind->code) + ':' + kind->mode;
  }
};

std::vector<std::string> lines_of(const std::string& text, const std::string& verb) {
  std::vector<std::string> found;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(verb + ' ')) found.push_back(line.substr(verb.size() + 1));
  }
  return found;
}

Ended run_script(const TempDir& dir, const std::string& plan) {
  return run_child({TQ_TEST_SCRIPT, dir / "jobs.tq"},
                   {"LD_PRELOAD=" TQ_TEST_SHIM, "TQ_FAIL_DIRECTORY=" + dir.path(), "TQ_FAIL=" + plan});
}

// What the judge complains of; empty: nothing.
std::string judged(const TempDir& dir, const std::string& said) {
  const Ended judge = run_child({TQ_TEST_JUDGE, dir / "jobs.tq"}, {}, said);
  if (judge.hung) return "the judge hangs";
  if (judge.status == 0 && judge.said == "judged\n") return {};
  return judge.said + (judge.status > 128 ? "the judge died of signal " + std::to_string(judge.status - 128) : "");
}

// A step's failure is a sentence: of one line, that names a file, or what else was wanted of the system, and gives a
// reason. Empty: it is.
std::string fault_of(const std::string& failure) {
  std::istringstream words(failure);
  std::string step, kind, text;
  words >> step >> kind >> std::ws;
  std::getline(words, text);
  if (kind == "bad_alloc" || kind == "Error") return {};  // the latter: what it needs was not done either
  if (kind == "other") return "something else was thrown in " + step + ": " + text;
  const bool has_reason = text.find(": ") != text.npos && text.size() < 400;
  const bool names = text.find("'/") != text.npos || text.starts_with("cannot start ") ||
                     text.starts_with("cannot make an event loop");
  return has_reason && names ? std::string() : "no sentence that names a file and a reason: " + failure;
}

// An allocation that fails may end the process (std::terminate, where nothing may be thrown), and no more than that.
struct Verdict {
  bool fired = false;
  bool said_so = false;
  bool ended = false;
  bool crashed = false;
  bool hung = false;
  std::string complaint;
};

Verdict try_out(const Failure& failure) {
  const TempDir dir;
  const Ended script = run_script(dir, failure.text());
  Verdict verdict;
  const auto failed = lines_of(script.said, "failed");
  verdict.fired = !lines_of(script.said, "fired").empty();
  verdict.said_so = !failed.empty();
  verdict.hung = script.hung;
  const bool is_over = script.status == 0 && script.said.ends_with("end\n");
  verdict.ended = !script.hung && failure.kind->of == "alloc" && script.status == 128 + SIGABRT;
  verdict.crashed = !script.hung && !is_over && !verdict.ended;
  if (verdict.hung) verdict.complaint = "it hangs";
  if (verdict.crashed) verdict.complaint = "it ended with " + std::to_string(script.status);
  for (const std::string& text : failed) verdict.complaint += fault_of(text);
  if (failure.kind->mode != "sticky" && failed.size() > 1) verdict.complaint += "it failed twice: " + failed[1];
  verdict.complaint += judged(dir, script.said);
  if (!verdict.complaint.empty()) verdict.complaint += "\n--- said:\n" + script.said;
  return verdict;
}

// How many calls of each class the script makes.
std::map<std::string, long> count_calls() {
  const TempDir dir;
  const Ended script = run_script(dir, "");
  BOOST_REQUIRE_MESSAGE(script.status == 0 && lines_of(script.said, "failed").empty(), script.said);
  BOOST_REQUIRE_EQUAL(judged(dir, script.said), "");
  std::map<std::string, long> counts;
  for (const std::string& line : lines_of(script.said, "count")) {
    std::istringstream words(line);
    std::string of;
    words >> of >> counts[of];
  }
  return counts;
}

struct Tally {
  std::map<std::string, std::size_t> fired;  // by kind
  std::map<std::string, std::size_t> said;   // by class
  std::size_t ended = 0;
  std::size_t crashes = 0;
  std::size_t hangs = 0;
  std::vector<std::string> complaints;

  std::size_t all_fired() const {
    std::size_t all = 0;
    for (const auto& [kind, count] : fired) all += count;
    return all;
  }

  void add(const Failure& failure, const Verdict& verdict) {
    if (verdict.fired) ++fired[failure.kind->text()];
    if (verdict.said_so) ++said[failure.kind->of];
    ended += verdict.ended ? 1 : 0;
    crashes += verdict.crashed ? 1 : 0;
    hangs += verdict.hung ? 1 : 0;
    if (verdict.complaint.empty()) return;
    complaints.push_back("TQ_FAIL=" + failure.text() + ": " + verdict.complaint);
    std::cerr << complaints.back() << '\n';  // at once: there may be hours to go
  }
};

// As many at a time as there are processors.
Tally try_all(const std::vector<Failure>& failures) {
  Tally tally;
  std::mutex mutex;
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < failures.size(); i = next++) {
      const Verdict verdict = try_out(failures[i]);
      const std::lock_guard lock(mutex);
      tally.add(failures[i], verdict);
    }
  };
  std::vector<std::jthread> threads;
  for (unsigned i = std::max(2u, std::thread::hardware_concurrency()); i > 0; --i) threads.emplace_back(work);
  threads.clear();
  return tally;
}

// All of them; or as many as are asked for, so that each kind has its share.
std::vector<Failure> choose(Random& random, std::size_t most) {
  const auto counts = count_calls();
  std::vector<std::vector<Failure>> all;
  for (const Kind& kind : kKinds) {
    all.emplace_back();
    for (long number = 1; number <= counts.at(kind.of); ++number) all.back().push_back({&kind, number});
    for (std::size_t i = all.back().size(); i > 1; --i) std::swap(all.back()[i - 1], all.back()[random.below(i)]);
  }
  std::vector<Failure> chosen;
  for (bool more = true; more && (most == 0 || chosen.size() < most);) {
    more = false;
    for (auto& of_kind : all) {
      if (of_kind.empty()) continue;
      chosen.push_back(of_kind.back());
      of_kind.pop_back();
      more = true;
    }
  }
  return chosen;
}

BOOST_AUTO_TEST_SUITE(calls)

BOOST_AUTO_TEST_CASE(a_job_that_was_acknowledged_and_is_not_there_is_noticed) {
  const TempDir dir;
  const Ended script = run_script(dir, "");
  BOOST_TEST(judged(dir, script.said + "added a0 999\n") ==
             "a0 was acknowledged, and is lost\n"
             "judged\n");
}

BOOST_AUTO_TEST_CASE(whatever_call_fails_nothing_is_lost_and_it_is_said) {
  const char* const rounds = std::getenv("TQ_TEST_ROUNDS");
  Random random;
  const auto failures = choose(random, rounds != nullptr ? static_cast<std::size_t>(std::atoll(rounds)) : 200);
  const Tally tally = try_all(failures);
  BOOST_TEST(tally.complaints.size() == 0u);  // they have been told
  std::set<std::string> silent;
  for (const Kind& kind : kKinds) {
    if (!tally.said.contains(kind.of)) silent.insert(kind.of);
  }
  BOOST_TEST(silent == std::set<std::string>(), boost::test_tools::per_element());  // else the shim does nothing
  if (!tally.complaints.empty()) return;
  std::cout << "proved: " << tally.all_fired() << " failing calls (" << tally.fired.size() << " kinds, seed "
            << test::test_seed() << "): 0 acknowledged jobs lost, " << tally.crashes << " crashes, " << tally.hangs
            << " hangs; " << tally.ended << " of the allocations ended the process\n";
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
