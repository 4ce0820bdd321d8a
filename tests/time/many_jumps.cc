// The clock is set again and again while a worker runs jobs of every kind that waits for something, and sleeps now and then.
//
// TQ_TEST_ROUNDS sets the number of jumps, TQ_TEST_SEED what chance chooses.
#include "support/random.hpp"
#include "time/faked_clock.hpp"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <iostream>
#include <map>
#include <optional>

namespace tq::test {
namespace {

using namespace std::chrono_literals;

std::uint64_t rounds() {
  const char* const text = std::getenv("TQ_TEST_ROUNDS");
  return text == nullptr ? 50 : std::strtoull(text, nullptr, 10);
}

class ManyJumps {
 public:
  explicit ManyJumps(std::uint64_t seed) : random_(seed) {
    const TaskQueue made{std::filesystem::path(sandbox_.store())};
    worker_.emplace(sandbox_.start({"worker", "-j4"}));
  }

  void run(std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) {
      add();
      jump();
      while (open_.size() - named_ > kMostOpen) read_report();
    }
    jump_to(2 * kTenYears);  // nothing that was named is later
    while (!open_.empty()) read_report();
  }
  void check_ended();

  std::uint64_t early = 0;
  std::uint64_t unexpected = 0;

 private:
  static constexpr std::size_t kMostOpen = 8;

  struct Open {
    bool is_named = false;
    Duration not_before{};  // of a time that was named: how far the clock has to be ahead of the machine's
    Duration furthest{};    // how far it has been since
  };

  void add();
  void jump();
  void jump_to(Duration offset);
  void read_report();

  Random random_;
  Sandbox sandbox_;
  FakedClock clock_{sandbox_};
  Reports reports_{sandbox_};
  std::optional<Process> worker_;
  std::map<std::string, Open> open_;  // by what is going to be reported
  std::size_t named_ = 0;
  std::uint64_t jobs_ = 0;
  std::uint64_t attempts_ = 0;
};

void ManyJumps::add() {
  const std::string name = std::to_string(++jobs_);
  const std::string span = fmt::format("{}ms", random_.below(400));
  ++attempts_;
  Open open;
  switch (random_.below(5)) {
    case 0:
      sandbox_.add_sh(reports_.say(name));
      break;
    case 1:
      sandbox_.add_sh(reports_.say(name), {"-d", span});
      break;
    case 2:
      sandbox_.add_sh(fmt::format("if mkdir once-{}; then exit 1; else {}; fi", name, reports_.say(name)),
                      {"--retries", "1", "--backoff", "const:" + span});
      ++attempts_;
      break;
    case 3:
      sandbox_.add_sh("sleep 0.1; " + reports_.say(name), {"--timeout", "1h"});
      break;
    default:
      sandbox_.add_sh(reports_.say(name), {"--at", "+1h"});
      open = {true, clock_.offset() + 59min, clock_.offset()};
      ++named_;
  }
  open_.emplace(name, open);
}

void ManyJumps::jump_to(Duration offset) {
  clock_.set(offset);
  for (auto& [name, open] : open_) open.furthest = std::max(open.furthest, offset);
}

void ManyJumps::jump() {
  const Duration day = 24h;
  const std::vector<Duration> offsets = {
      0h,
      kTenYears,
      -kTenYears,
      Duration(random_.between(-day.count(), day.count())),
      clock_.offset() + Duration(random_.between(-3000, 3000)),
      clock_.offset() - day,
  };
  const bool sleeps = random_.chance(30);
  if (sleeps) suspend(worker_->pid());
  jump_to(random_.pick(offsets));
  if (sleeps) resume(worker_->pid());
}

void ManyJumps::read_report() {
  const std::string name = reports_.next();
  const auto open = open_.find(name);
  if (open == open_.end()) {
    ++unexpected;  // it has reported before
    return;
  }
  if (open->second.is_named) {
    --named_;
    if (open->second.furthest < open->second.not_before) ++early;
  }
  open_.erase(open);
}

// Each has had the attempts that it needed, and no more.
void ManyJumps::check_ended() {
  worker_->signal(SIGTERM);
  TQ_CHECK_ENDED(worker_->finish(), 0);
  const auto stats = nlohmann::json::parse(sandbox_.ok({"stats", "--json"}));
  BOOST_TEST(stats.at("succeeded") == jobs_);
  BOOST_TEST(stats.at("attempts") == attempts_);
  BOOST_TEST(stats.at("crashes") == 0);
}

BOOST_AUTO_TEST_SUITE(many_jumps)

BOOST_AUTO_TEST_CASE(nothing_is_lost_stuck_or_early) {
  const std::uint64_t seed = test_seed();
  ManyJumps jumps(seed);
  jumps.run(rounds());
  jumps.check_ended();
  BOOST_TEST(jumps.early == 0u);
  BOOST_TEST(jumps.unexpected == 0u);
  std::cout << fmt::format(
      "proved: {} jumps of the clock, up to twenty years either way (seed {}): 0 lost, 0 stuck, "
      "0 early\n",
      rounds(), seed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
