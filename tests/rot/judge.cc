#include "rot/judge.hpp"

#include "base/crc.hpp"
#include "base/fd.hpp"
#include "queue/impl.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/core.h>
#include <memory>
#include <numeric>
#include <optional>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tq::test {
namespace {

constexpr unsigned kPatienceSeconds = 30;  // a store is judged in milliseconds
constexpr std::uint64_t kProcesses = 2;

// What a process that judges tells the one that started it. In memory that both share, since it may die at any moment.
struct Progress {
  std::uint64_t next;  // damage to be judged, or at hand
  std::array<std::uint64_t, kVerdicts> count;
  char bad[64][256];  // what was wrong, in words
  std::uint64_t bad_count;

  void add(Verdict verdict, const std::string& words) {
    ++count[static_cast<std::size_t>(verdict)];
    if (verdict <= Verdict::harmless) return;
    char* const place = bad[bad_count++ % std::size(bad)];
    const std::size_t size = std::min(words.size(), sizeof bad[0] - 1);
    std::memcpy(place, words.data(), size);
    place[size] = '\0';
  }
};

class Judge {
 public:
  Judge(const Case& subject, std::string store, std::uint64_t seed, Way way, bool alive)
      : subject_(subject),
        way_(way),
        damages_(subject.image, subject.before, seed),
        questions_(questions(subject.first_job, subject.last_job)),
        patient_(std::move(store), subject.image) {
    right_ = answers(true);
    if (alive) return;
    // What a rescue changes has times of its own in it, and is not asked for.
    const std::vector<std::uint32_t> rescued = answers(false);
    for (std::size_t i = questions_.size(); i-- > 0;) {
      if (rescued[i] == right_[i]) continue;
      questions_.erase(questions_.begin() + static_cast<std::ptrdiff_t>(i));
      right_.erase(right_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }

  void judge(std::uint64_t number, Progress& progress) {
    patient_.restore();
    const Damage damage = damages_.make(number);
    patient_.damage(damage);
    std::string words = describe(number, damage);
    ::alarm(kPatienceSeconds);
    const Verdict verdict = look(words);
    ::alarm(0);
    progress.add(verdict, words);
  }

  std::string describe(std::uint64_t number) const { return describe(number, damages_.make(number)); }

 private:
  static std::string describe(std::uint64_t number, const Damage& damage) {
    return fmt::format("damage {}: jobs.tq{}: {}", number, damage.file, damage.what);
  }

  // Of the store as it was.
  std::vector<std::uint32_t> answers(bool alive) {
    patient_.restore();
    worker_.reset();
    if (alive) worker_ = store::LockFile(patient_.store() + "-locks").hold_worker(subject_.worker);
    const auto queue = open();
    std::vector<std::uint32_t> answers;
    for (const Question& question : questions_) answers.push_back(base::crc32c(question.ask(*queue)));
    return answers;
  }

  std::unique_ptr<TaskQueue> open() {
    auto queue = std::make_unique<TaskQueue>(patient_.store(), OpenOptions{.create = false});
    queue->impl().clock = &clock_;
    return queue;
  }

  Verdict look(std::string& words) {
    try {
      const auto queue = open();
      if (way_ == Way::checked && !queue->check(true).problems.empty()) return Verdict::reported;
      return read(*queue, words);
    } catch (const StoreError&) {
      return Verdict::reported;
    }
  }

  Verdict read(TaskQueue& queue, std::string& words) {
    bool reported = false;
    for (std::size_t i = 0; i < questions_.size(); ++i) {
      try {
        if (base::crc32c(questions_[i].ask(queue)) == right_[i]) continue;
        words += fmt::format(": wrong: {}", questions_[i].name);
        return Verdict::wrong;
      } catch (const StoreError&) {
        reported = true;
      }
    }
    return reported ? Verdict::reported : Verdict::harmless;
  }

  const Case& subject_;
  const Way way_;
  const Damages damages_;
  std::vector<Question> questions_;
  std::vector<std::uint32_t> right_;
  FakeClock clock_{kStart + std::chrono::hours{1}};
  base::Fd worker_;
  Patient patient_;
};

// One of the processes, started again whenever a store has killed it. Damages `first`, `first` + kProcesses, ...
class Court {
 public:
  Court(const Case& subject, const std::string& directory, std::uint64_t seed, Way way, bool alive, std::uint64_t first,
        std::uint64_t end)
      : judge_(subject, directory + fmt::format("/{}.tq", first % kProcesses), seed, way, alive),
        end_(end),
        progress_(static_cast<Progress*>(
            ::mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    BOOST_REQUIRE(progress_ != MAP_FAILED);
    progress_->next = first;
  }
  ~Court() { ::munmap(progress_, sizeof(Progress)); }
  Court(const Court&) = delete;
  Court& operator=(const Court&) = delete;

  pid_t start() {
    pid_ = ::fork();
    BOOST_REQUIRE(pid_ >= 0);
    if (pid_ != 0) return pid_;
    // LMDB says what it asserts, and a sanitizer what it meets.
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDERR_FILENO);
    for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGALRM}) std::signal(signal, SIG_DFL);
    for (; progress_->next < end_; progress_->next += kProcesses) judge_.judge(progress_->next, *progress_);
    ::_exit(0);
  }

  // Its process has ended. True if it had not come to its end, and goes on behind what killed it.
  bool ended(int status) {
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return false;
    const bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    const std::string how = WIFSIGNALED(status) ? ::strsignal(WTERMSIG(status)) : "an exit";
    progress_->add(hung ? Verdict::hung : Verdict::crashed, judge_.describe(progress_->next) + ": " + how);
    progress_->next += kProcesses;
    return progress_->next < end_;
  }

  pid_t pid() const { return pid_; }
  const Progress& progress() const { return *progress_; }

 private:
  Judge judge_;
  const std::uint64_t end_;
  Progress* const progress_;
  pid_t pid_ = 0;
};

}  // namespace

const char* to_string(Verdict verdict) {
  constexpr const char* kNames[] = {"reported", "harmless", "wrong", "crashed", "hung"};
  return kNames[static_cast<std::size_t>(verdict)];
}

std::uint64_t Verdicts::all() const { return std::accumulate(count.begin(), count.end(), std::uint64_t{0}); }

Case make_case(const std::string& directory) {
  Case subject;
  const std::string store = directory + "/origin.tq";
  subject.worker = fill_store(store, [&] { subject.before.push_back(read_image(store)); });
  subject.image = subject.before.back();
  subject.before.pop_back();
  subject.last_job = TaskQueue(store).list({.limit = 1}).at(0).id;
  subject.first_job = subject.last_job - 45;  // the first of these are gone
  return subject;
}

Verdicts judge(const Case& subject, const std::string& directory, std::uint64_t seed, std::uint64_t first,
               std::uint64_t count, Way way, bool alive) {
  std::vector<std::unique_ptr<Court>> courts;
  for (std::uint64_t i = 0; i < kProcesses; ++i) {
    courts.push_back(std::make_unique<Court>(subject, directory, seed, way, alive, first + i, first + count));
  }
  for (const auto& court : courts) court->start();
  for (std::size_t running = courts.size(); running > 0;) {
    int status = 0;
    const pid_t ended = ::wait(&status);
    BOOST_REQUIRE(ended > 0);
    const auto court = std::find_if(courts.begin(), courts.end(), [&](const auto& one) { return one->pid() == ended; });
    if (court == courts.end()) continue;
    if ((*court)->ended(status)) {
      (*court)->start();
    } else {
      --running;
    }
  }
  Verdicts verdicts;
  for (const auto& court : courts) {
    const Progress& progress = court->progress();
    for (std::size_t i = 0; i < kVerdicts; ++i) verdicts.count[i] += progress.count[i];
    const std::uint64_t bad = std::min<std::uint64_t>(progress.bad_count, std::size(progress.bad));
    for (std::uint64_t i = 0; i < bad; ++i) verdicts.bad.emplace_back(progress.bad[i]);
  }
  return verdicts;
}

}  // namespace tq::test
