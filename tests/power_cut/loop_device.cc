// Real power cuts: ext4 on a loop device that is shut down in the middle of the workload, as if the machine had lost power
// (FS_IOC_SHUTDOWN: from then on nothing reaches the device, the journal neither). Then it is mounted again, which replays the
// journal, and what is there goes through the same trial as a replayed state.
//
// TQ_TEST_ROUNDS is the number of cuts. Needs root and a loop device; without them it is skipped.
#include "base/fd.hpp"
#include "power_cut/recording.hpp"
#include "power_cut/state_dir.hpp"
#include "power_cut/trial.hpp"
#include "support/process.hpp"
#include "support/random.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <list>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tq::test::power_cut {
namespace {

namespace fs = std::filesystem;

constexpr unsigned long kShutdown = _IOR('X', 125, std::uint32_t);  // FS_IOC_SHUTDOWN
constexpr std::uint32_t kNoLogFlush = 2;
constexpr std::uint64_t kRoundsPerDisk = 6;

int run(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()); }

[[noreturn]] void skip(const std::string& why) {
  std::printf("skipped: %s\n", why.c_str());
  std::fflush(stdout);
  std::_Exit(77);
}

// A file system of its own. One thread at a time.
class LoopDisk {
 public:
  LoopDisk() {
    fs::create_directory(place());
    if (run("truncate -s 96M " + image()) != 0 || run("mkfs.ext4 -q -F " + image()) != 0) skip("there is no mkfs.ext4");
    mount();
  }
  ~LoopDisk() { unmount(); }
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;

  std::string place() const { return memory_.path() + "/disk"; }
  std::string store() const { return place() + "/deep/jobs.tq"; }

  void mount() {
    if (run("mount -o loop " + image() + ' ' + place()) != 0) skip("no loop device can be mounted");
  }
  // Nobody may have a file open on it.
  void unmount() { run("umount " + place()); }
  void cut() {
    const base::Fd top = base::open_file(place(), O_RDONLY | O_DIRECTORY);
    std::uint32_t how = kNoLogFlush;
    if (::ioctl(top.get(), kShutdown, &how) != 0) skip("the file system cannot be shut down");
  }

 private:
  std::string image() const { return memory_.path() + "/image"; }

  FastDir memory_;
};

// The workload, until the cut. Its processes end by the failures that they meet, or are killed.
void work_until_cut(LoopDisk& disk, const std::string& notes, std::uint64_t seed, std::chrono::microseconds moment,
                    std::vector<std::string> variables) {
  variables.push_back("TQ_POWER_CUT_NOTES=" + notes);
  std::list<Process> processes;
  for (const auto& [name, number] : {std::pair{"producer", 1u}, {"producer", 2u}, {"controller", 3u}, {"worker", 4u}}) {
    const std::string amount = name == std::string("worker") ? "0" : "1000";
    processes.emplace_back(std::vector<std::string>{"/bin/sh", "-c", "exec \"$0\" \"$@\" 2>/dev/null", TQ_TEST_WORKLOAD,
                                                    disk.store(), name, std::to_string(seed * 10 + number), amount},
                           variables);
  }
  const auto end = std::chrono::steady_clock::now() + moment;
  while (std::chrono::steady_clock::now() < end) continue;  // chance chooses the moment; nothing waits for it
  disk.cut();
}

struct Notes {
  Ledger ledger;
  std::uint64_t acknowledged = 0;
};

Notes read_notes(const std::string& path) {
  Notes all;
  std::ifstream notes(path);
  for (std::string line; std::getline(notes, line);) {
    all.ledger.note(line);
    const bool is_none = line.starts_with("try ") || line.starts_with("ran ") || line.starts_with("leave ");
    all.acknowledged += is_none ? 0u : 1u;
  }
  return all;
}

// Tried out on a copy: the next round goes on with what the cut has left. Returns what is wrong.
std::vector<std::string> try_out_copy(const LoopDisk& disk, const Ledger& ledger) {
  const FastDir memory;
  const std::string copy = memory.path() + "/copy";
  const fs::path original = fs::path(disk.store()).parent_path();
  try {
    if (fs::exists(original)) fs::copy(original, copy, fs::copy_options::recursive);
  } catch (const fs::filesystem_error& error) {
    return {error.what()};
  }
  fs::create_directories(copy);
  Verdict verdict = try_out(copy + "/jobs.tq", ledger, true);
  std::vector<std::string> complaints = std::move(verdict.lost);
  complaints.insert(complaints.end(), verdict.wrong.begin(), verdict.wrong.end());
  complaints.insert(complaints.end(), verdict.broken.begin(), verdict.broken.end());
  return complaints;
}

// One disk that is cut off again and again.
class Trial {
 public:
  explicit Trial(std::vector<std::string> variables = {}) : variables_(std::move(variables)) {
    std::ofstream(notes()).flush();
    variables_.push_back(kDirVariable + ('=' + disk_.place()));
  }

  // Returns what is wrong then. The first cut comes while the store is made, or soon after.
  std::vector<std::string> cut(std::uint64_t seed, Random& random) {
    const std::uint64_t most = is_first_ ? 60'000 : 500'000;
    is_first_ = false;
    work_until_cut(disk_, notes(), seed, std::chrono::microseconds(random.below(most)), variables_);
    disk_.unmount();
    disk_.mount();
    return try_out_copy(disk_, read_notes(notes()).ledger);
  }
  std::uint64_t acknowledged() const { return read_notes(notes()).acknowledged; }

 private:
  std::string notes() const { return memory_.path() + "/notes"; }

  LoopDisk disk_;
  FastDir memory_;
  std::vector<std::string> variables_;
  bool is_first_ = true;
};

void require_root() {
  if (::geteuid() != 0) skip("only root may cut a device off");
}

BOOST_AUTO_TEST_SUITE(loop_device)

BOOST_AUTO_TEST_CASE(what_was_acknowledged_survives_a_cut_of_a_real_file_system) {
  require_root();
  Random random;
  const char* const text = std::getenv("TQ_TEST_ROUNDS");
  const std::uint64_t rounds = text == nullptr ? 6 : std::strtoull(text, nullptr, 10);
  std::uint64_t acknowledged = 0;
  std::uint64_t complaints = 0;
  for (std::uint64_t round = 0; round < rounds;) {
    Trial trial;
    for (std::uint64_t i = 0; i < kRoundsPerDisk && round < rounds; ++i, ++round) {
      for (const std::string& complaint : trial.cut(test_seed() * 1000 + round, random)) {
        BOOST_ERROR("round " << round << ": " << complaint);
        ++complaints;
      }
    }
    acknowledged += trial.acknowledged();
  }
  std::printf(
      "proved: %llu cuts of an ext4 file system on a loop device (seed %llu; %llu acknowledgements): %llu complaints\n",
      static_cast<unsigned long long>(rounds), static_cast<unsigned long long>(test_seed()),
      static_cast<unsigned long long>(acknowledged), static_cast<unsigned long long>(complaints));
}

BOOST_AUTO_TEST_CASE(a_store_that_never_syncs_fails) {
  require_root();
  Random random;
  const FastDir memory;
  const std::string log = memory.path() + "/log";
  char* const map = make_log(log);
  Trial trial({std::string("LD_PRELOAD=") + TQ_TEST_RECORDER, kLogVariable + ('=' + log),
               kNoSyncVariable + std::string("=all")});
  bool has_failed = false;
  for (std::uint64_t round = 0; round < 3 * kRoundsPerDisk && !has_failed; ++round) {
    has_failed = !trial.cut(test_seed() * 1000 + round, random).empty();
  }
  ::munmap(map, kLogBytes);
  BOOST_TEST(has_failed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test::power_cut
