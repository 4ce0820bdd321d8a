#include "power_cut/recording.hpp"

#include "base/fail.hpp"
#include "base/fd.hpp"
#include "power_cut/state_dir.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <new>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::test::power_cut {
namespace {

namespace fs = std::filesystem;

constexpr int kAdds = 24;   // by each of four threads
constexpr int kSteps = 90;  // of the controller

std::string read_file(const std::string& path) {
  const base::Fd file = base::open_file(path, O_RDONLY);
  return base::read_all(file.get(), path);
}

std::uint64_t inode_of(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

// Calls `visit` with the name below `directory`, and the inode, of each that is durable.
void visit(const std::string& directory,
           const std::function<void(const std::string& name, std::uint64_t inode, bool is_directory)>& visit) {
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(directory)) {
    const std::string name = entry.path().string().substr(directory.size() + 1);
    if (!is_made_again(name)) visit(name, inode_of(entry.path()), entry.is_directory());
  }
}

void require_end(Process& process, const std::string& what, const std::vector<int>& allowed) {
  const int status = process.wait();
  for (const int good : allowed) {
    if (status == good) return;
  }
  throw std::runtime_error("the workload's " + what + " ended with " + std::to_string(status));
}

// Two producers, two workers of which one is killed in the middle of a job, and one who steers. All begin at once, so that the
// store is made by several at a time.
void run_workload(const std::string& store, std::uint64_t seed, const std::vector<std::string>& variables) {
  const auto role = [&](const std::string& name, std::uint64_t number, int amount) {
    return std::vector<std::string>{TQ_TEST_WORKLOAD, store, name, std::to_string(seed * 10 + number),
                                    std::to_string(amount)};
  };
  Process mortal(role("worker", 1, 5 + static_cast<int>(seed % 20)), variables);
  Process first(role("producer", 2, kAdds), variables);
  Process second(role("producer", 3, kAdds), variables);
  Process controller(role("controller", 4, kSteps), variables);
  Process worker(role("worker", 5, 0), variables);
  require_end(first, "first producer", {0});
  require_end(second, "second producer", {0});
  require_end(controller, "controller", {0});
  mortal.close_input();
  require_end(mortal, "mortal worker", {0, 128 + SIGKILL});
  worker.close_input();
  require_end(worker, "worker", {0});
}

}  // namespace

char* make_log(const std::string& path) {
  const base::Fd file = base::open_file(path, O_RDWR | O_CREAT);
  if (::ftruncate(file.get(), kLogBytes) != 0) base::throw_system("cannot make the log", errno);
  void* const map = ::mmap(nullptr, kLogBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (map == MAP_FAILED) base::throw_system("cannot map the log", errno);
  auto* const head = new (map) LogHead;
  head->end = kLogBegin;
  return static_cast<char*>(map);
}

Recording::Recording(std::uint64_t seed, const std::string& no_sync, const Recording* before) {
  const TempDir temporary;
  const std::string directory = fs::canonical(temporary.path()) / "disk";
  fs::create_directory(directory);
  if (before != nullptr) {
    Disk::Random random(seed);
    Replay replay = before->begin();
    const std::size_t end = before->size() / 4 + random() % (before->size() / 2);
    for (std::size_t i = 0; i < end; ++i) before->apply(replay, i);
    StateDir(directory).hold(replay.disk.cut(random), random);
    begin_.ledger = replay.ledger;
  }
  begin_.disk = Disk(inode_of(directory));
  visit(directory, [&](const std::string& name, std::uint64_t inode, bool is_directory) {
    if (is_directory) return begin_.disk.add_directory(name, inode);
    begin_.disk.add_file(name, inode, read_file(directory + '/' + name));
  });
  const FastDir memory;
  const std::string log = memory.path() + "/log";
  log_ = make_log(log);
  run_workload(directory + '/' + kStore, seed,
               {std::string("LD_PRELOAD=") + TQ_TEST_RECORDER, kLogVariable + ('=' + log),
                kDirVariable + ('=' + directory), kNoSyncVariable + ('=' + no_sync)});
  read_log();
  compare_with(directory);
}

Recording::~Recording() { ::munmap(log_, kLogBytes); }

const Record& Recording::record(std::size_t number) const {
  return *reinterpret_cast<const Record*>(log_ + records_[number]);
}

void Recording::read_log() {
  const std::uint64_t end = reinterpret_cast<const LogHead*>(log_)->end.load();
  for (std::uint64_t position = kLogBegin; position < end; position += record(records_.size() - 1).size()) {
    records_.push_back(position);
  }
}

std::string Recording::describe(std::size_t end) const {
  constexpr const char* kNames[] = {"create",     "mkdir",    "link",  "rename", "unlink",  "write", "truncate",
                                    "sync_begin", "sync_end", "wrote", "note",   "strange", "memory"};
  std::string text;
  for (std::size_t i = 0; i < end; ++i) {
    const Record& record = this->record(i);
    text +=
        fmt::format("{} at {}: {} inode {} offset {} bytes {} {}{}\n", i, records_[i],
                    kNames[static_cast<std::size_t>(record.kind)], record.inode, record.offset, record.bytes,
                    record.name().substr(0, record.name().find('\0')), record.kind == Kind::note ? record.data() : "");
  }
  return text;
}

std::size_t Recording::changes() const {
  std::size_t count = 0;
  for (std::size_t i = 0; i < size(); ++i) count += record(i).kind <= Kind::truncate ? 1u : 0u;
  return count;
}

void Recording::apply(Replay& replay, std::size_t number) const {
  const Record& next = record(number);
  if (next.kind == Kind::note) {
    replay.ledger.note(next.data());
  } else {
    replay.disk.apply(records_[number], next);
  }
}

// Is what the log says all that happened?
void Recording::compare_with(const std::string& directory) const {
  Replay replay = begin_;
  for (std::size_t i = 0; i < size(); ++i) apply(replay, i);
  const FastDir memory;
  Disk::Random random;
  StateDir(memory.path()).hold(replay.disk.newest(), random);
  std::map<std::string, std::string> real;
  std::map<std::string, std::string> replayed;
  visit(directory, [&](const std::string& name, std::uint64_t, bool is_directory) {
    real[name] = is_directory ? "" : read_file(directory + '/' + name);
  });
  visit(memory.path(), [&](const std::string& name, std::uint64_t, bool is_directory) {
    replayed[name] = is_directory ? "" : read_file(memory.path() + '/' + name);
  });
  for (const auto& [name, bytes] : real) {
    if (!replayed.contains(name) || replayed[name] != bytes) {
      throw std::runtime_error("the recorder has not seen all that was done to " + name);
    }
  }
  if (real.size() != replayed.size()) throw std::runtime_error("the recorder has not seen all that was removed");
}

}  // namespace tq::test::power_cut
