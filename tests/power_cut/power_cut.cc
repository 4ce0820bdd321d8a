// Power cuts in the middle of a workload: every state that they may leave, as far as chance reaches (disk.hpp), is tried out.
//
// TQ_TEST_ROUNDS is the number of states; TQ_TEST_KEEP a directory for the first that fails (and a log beside it). The workload is recorded anew each time: with the same seed it does the same, but its
// processes and threads take turns as they like.
#include "power_cut/recording.hpp"
#include "power_cut/state_dir.hpp"
#include "power_cut/trial.hpp"
#include "support/random.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tq::test::power_cut {
namespace {

constexpr std::uint64_t kStatesPerRecording = 5000;
constexpr std::uint64_t kThorough = 8;  // one state in so many

std::uint64_t rounds(std::uint64_t otherwise) {
  const char* const text = std::getenv("TQ_TEST_ROUNDS");
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

unsigned processors() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<unsigned>(CPU_COUNT(&set)) : 1;
}

// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

// What the processes that try out states have found. Shared by them.
struct Score {
  std::atomic<std::uint64_t> states = 0;
  std::atomic<std::uint64_t> lost = 0;
  std::atomic<std::uint64_t> wrong = 0;
  std::atomic<std::uint64_t> broken = 0;
  std::atomic<std::uint64_t> told = 0;
  char first[4][400] = {};

  std::uint64_t bad() const { return lost + wrong + broken; }
};

class SharedScore {
 public:
  SharedScore() {
    void* const map = ::mmap(nullptr, sizeof(Score), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    BOOST_REQUIRE(map != MAP_FAILED);
    score_ = new (map) Score;
  }
  ~SharedScore() { ::munmap(score_, sizeof(Score)); }
  SharedScore(const SharedScore&) = delete;
  SharedScore& operator=(const SharedScore&) = delete;
  Score* operator->() const { return score_; }
  Score& operator*() const { return *score_; }

 private:
  Score* score_;
};

void count(Score& score, std::uint64_t number, std::size_t record, const Verdict& verdict) {
  ++score.states;
  score.lost += verdict.lost.empty() ? 0 : 1;
  score.wrong += verdict.wrong.empty() ? 0 : 1;
  score.broken += verdict.broken.empty() ? 0 : 1;
  if (verdict.is_good()) return;
  const std::uint64_t place = score.told++;
  if (place >= std::size(score.first)) return;
  std::string text = "state " + std::to_string(number) + ", after record " + std::to_string(record) + ":";
  for (const auto* found : {&verdict.lost, &verdict.wrong, &verdict.broken}) {
    if (!found->empty()) text += ' ' + found->front() + ';';
  }
  std::strncpy(score.first[place], text.c_str(), sizeof score.first[place] - 1);
}

// States of a recording, numbered from `first`: as many as there are, spread evenly over its records.
struct Range {
  std::uint64_t first;
  std::uint64_t count;

  // The number of records before the n-th.
  std::size_t cut(std::uint64_t n, std::size_t records) const {
    return static_cast<std::size_t>(static_cast<double>(n + 1) / static_cast<double>(count) *
                                    static_cast<double>(records));
  }
};

// For a person to look at, where TQ_TEST_KEEP names a directory: the state, and what led to it.
void keep(const Recording& recording, const DiskState& state, std::size_t record) {
  const char* const directory = std::getenv("TQ_TEST_KEEP");
  if (directory == nullptr) return;
  Disk::Random random;
  std::filesystem::create_directories(directory);
  StateDir(directory).hold(state, random);
  std::ofstream(std::string(directory) + "-log") << recording.describe(record);
}

// Those from `begin` to `end`, of the range. Until `enough` were bad.
void try_states(const Recording& recording, Range range, std::uint64_t begin, std::uint64_t end, std::uint64_t enough,
                Score& score) {
  const FastDir memory;
  StateDir directory(memory.path());
  Replay replay = recording.begin();
  std::size_t done = 0;
  for (std::uint64_t n = begin; n < end && score.bad() < enough; ++n) {
    const std::size_t cut = std::min(range.cut(n, recording.size()), recording.size());
    for (; done < cut; ++done) recording.apply(replay, done);
    const std::uint64_t number = range.first + n;
    Disk::Random random(test_seed() * 0x9e3779b97f4a7c15 + number);
    const DiskState state = replay.disk.cut(random);
    directory.hold(state, random);
    const Verdict verdict = try_out(memory.path() + '/' + kStore, replay.ledger, number % kThorough == 0);
    if (!verdict.is_good() && score.told == 0) keep(recording, state, done);
    count(score, number, done, verdict);
  }
}

// The same, by as many processes as there are processors: what a state does to one of them, the others survive.
void try_states_together(const Recording& recording, Range range, std::uint64_t enough, Score& score) {
  std::vector<pid_t> children;
  const std::uint64_t shares = processors();
  for (std::uint64_t share = 0; share < shares; ++share) {
    const pid_t child = ::fork();
    BOOST_REQUIRE(child >= 0);
    if (child == 0) {
      try_states(recording, range, range.count * share / shares, range.count * (share + 1) / shares, enough, score);
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    BOOST_REQUIRE(::waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0,
               "a process that tried out states " << range.first << " and on ended with status " << status);
  }
}

void tell(const Score& score) {
  for (const char* text : score.first) {
    if (*text != '\0') std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(test_seed()), text);
  }
}

BOOST_AUTO_TEST_SUITE(power_cut)

BOOST_AUTO_TEST_CASE(no_power_cut_loses_what_was_acknowledged) {
  const Random random;
  const std::uint64_t states = rounds(2000);
  const std::uint64_t recordings = std::max<std::uint64_t>(2, states / kStatesPerRecording);
  const SharedScore score;
  std::uint64_t changes = 0;
  std::unique_ptr<Recording> before;
  for (std::uint64_t number = 0; number < recordings; ++number) {
    // Every third on a store that is new.
    auto recording =
        std::make_unique<Recording>(test_seed() * 1000 + number, "", number % 3 == 0 ? nullptr : before.get());
    changes += recording->changes();
    const std::uint64_t first = states * number / recordings;
    try_states_together(*recording, {first, states * (number + 1) / recordings - first}, UINT64_MAX, *score);
    before = std::move(recording);
  }
  tell(*score);
  BOOST_TEST(score->bad() == 0u);
  BOOST_TEST(score->states == states);
  std::printf(
      "proved: %s states after a power cut (seed %llu; %llu recordings, %s changes): %llu lost, %llu falsely "
      "acknowledged, %llu that do not open\n",
      grouped(score->states).c_str(), static_cast<unsigned long long>(test_seed()),
      static_cast<unsigned long long>(recordings), grouped(changes).c_str(),
      static_cast<unsigned long long>(score->lost), static_cast<unsigned long long>(score->wrong),
      static_cast<unsigned long long>(score->broken));
}

// The harness must see each sync that is missing; and each that the store makes is needed.
void must_fail_without(const std::string& part) {
  const Random random;
  const Recording recording(test_seed(), part);
  const SharedScore score;
  try_states_together(recording, {0, kStatesPerRecording}, 1, *score);
  tell(*score);
  BOOST_TEST(score->bad() != 0u);
}

BOOST_AUTO_TEST_CASE(a_store_that_never_syncs_fails) { must_fail_without("all"); }
BOOST_AUTO_TEST_CASE(a_store_that_does_not_sync_its_pages_fails) { must_fail_without("data"); }
BOOST_AUTO_TEST_CASE(a_store_that_does_not_sync_its_meta_page_fails) { must_fail_without("meta"); }
BOOST_AUTO_TEST_CASE(a_store_that_does_not_sync_its_intake_fails) { must_fail_without("intake"); }
BOOST_AUTO_TEST_CASE(a_store_that_does_not_sync_its_side_files_fails) { must_fail_without("side"); }
BOOST_AUTO_TEST_CASE(a_store_that_does_not_sync_what_it_makes_fails) { must_fail_without("making"); }
BOOST_AUTO_TEST_CASE(a_store_that_does_not_sync_directories_fails) { must_fail_without("directory"); }

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test::power_cut
