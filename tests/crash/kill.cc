// The kill test: producers, contenders for the write lock, workers, a reader and an opener at work on one store, and in each
// round some of them, or a worker's guard, or one of its keepers, are killed with -9 at a moment that chance chooses; some are
// stopped first. After each round every process that was not killed goes on, and what a dead worker had in hand is ready
// again; in the end every job that was acknowledged has been done, and no process is left.
//
// TQ_TEST_ROUNDS sets the number of kills, TQ_TEST_SEED what chance chooses.
#include "crash/member.hpp"
#include "crash/payloads.hpp"
#include "queue/stores.hpp"
#include "support/random.hpp"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <set>

namespace tq {
namespace {

using test::Figures;
using test::FileStore;
using test::kPatience;
using test::Marked;
using test::Member;
using test::Random;
using test::shell;
using namespace std::chrono_literals;

// Read for two purposes only: to choose moments, and to measure. Nothing waits for a time to pass.
std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

// Far above what it takes (the figures are printed), for machines that are busy with other things.
constexpr std::int64_t kLongestPauseNs = 5'000'000'000;
constexpr std::int64_t kAimNs = 250'000'000;
// A store of its own for so many: else its end, where every job is looked at, would take ever longer.
constexpr std::size_t kKillsPerStore = 1000;

// Of all stores.
struct Tally {
  std::size_t processes = 0, guards = 0, keepers = 0;  // killed
  std::size_t stops = 0;                               // before a kill
  std::size_t acknowledged = 0;
  Figures pauses;
  Figures rescues;

  std::size_t kills() const { return processes + guards + keepers; }
};

class KillTest {
 public:
  KillTest(Random& random, Tally& tally) : random_(random), tally_(tally) {
    queue_.configure("work", {.max_size = 200});
    for (const char* slot : {"a", "b"}) {
      const std::string name(slot);
      queue_.enqueue("pulse", {}, {.queue = "pulse-" + name});
      queue_.enqueue("hold", {}, {.queue = "hold-" + name});
      // A command with one that has moved away from it.
      queue_.enqueue(marked_.mark(shell("setsid sleep 100000 & sleep 100000")), {.queue = "hold-" + name});
    }
    start("producer", std::to_string(random_.number()));
    start("producer", std::to_string(random_.number()));
    start("worker", "a");
    start("worker", "b");
    start("contender", std::to_string(random_.number()));
    start("contender", std::to_string(random_.number()));
    start("reader");
    start("opener");
  }

  void round() {
    pump_until([&] { return std::all_of(members_.begin(), members_.end(), [](auto& m) { return m->is_ready(); }); });
    wait_for_a_moment();
    const std::vector<Member*> victims = choose_victims();
    if (random_.chance(15)) stop(victims);
    const std::int64_t killed = now_ns();
    const std::set<Member*> dead = kill(victims);
    await_rescue(dead, killed);
    await_survivors(dead, killed);
    for (Member* member : dead) {
      member->process().wait();
      member->take_rest();
    }
    for (Member* member : dead) look_for_acknowledged(*member);
    for (Member* member : dead) member->begin();
  }

  void finish() {
    for (const char* role : {"producer", "contender", "opener"}) let_go(role);
    queue_.configure("work", {});
    for (EventSeq last = 0; queue_.queue("work")->unfinished() != 0;) {
      const EventSeq newest = queue_.wait_events(last, kPatience);
      BOOST_REQUIRE(newest > last);
      last = newest;
      pump(0);
    }
    for (const auto& member : members_) {
      tally_.acknowledged += member->acknowledged().size();
      for (const JobId id : member->acknowledged()) check_done(id);
    }
    // Those that were never acknowledged, too, are whole or were never there.
    for (const JobInfo& job : queue_.list({.queue = "work", .limit = 10'000'000})) check_done(job.id);
    for (const JobInfo& job : queue_.list({.states = {State::ready, State::scheduled, State::running}})) {
      queue_.cancel(job.id);
      BOOST_TEST(queue_.wait(job.id, kPatience)->state == State::cancelled, "job " << job.id << " of " << job.task);
    }
    let_go("worker");
    let_go("reader");
    BOOST_TEST(marked_.running() == 0u);
    BOOST_TEST(queue_.workers().empty());
    queue_.collect();  // what was killed between a file and its commit
  }

 private:
  void start(const std::string& role, const std::string& argument = {}) {
    std::vector<std::string> arguments = {TQ_TEST_VICTIM, store_.path(), role};
    if (!argument.empty()) arguments.push_back(argument);
    members_.push_back(std::make_unique<Member>(arguments, marked_));
  }

  // Takes what is said within so many microseconds. Returns how many lines that were.
  std::size_t pump(std::int64_t us) {
    std::vector<pollfd> wanted;
    for (const auto& member : members_) wanted.push_back({member->process().output(), POLLIN, 0});
    const timespec limit{us / 1'000'000, us % 1'000'000 * 1000};
    if (::ppoll(wanted.data(), wanted.size(), &limit, nullptr) <= 0) return 0;
    std::size_t lines = 0;
    for (std::size_t i = 0; i < members_.size(); ++i) {
      if ((wanted[i].revents & POLLIN) == 0) continue;
      const std::size_t before = members_[i]->said().size();
      members_[i]->process().read_some();
      members_[i]->take_lines();
      lines += members_[i]->said().size() - before;
    }
    return lines;
  }

  template <class Condition>
  void pump_until(Condition condition) {
    const std::int64_t limit = now_ns() + std::chrono::nanoseconds(kPatience).count();
    while (!condition()) {
      if (now_ns() > limit) throw std::runtime_error(silent_members());
      pump(1'000'000);
    }
  }

  std::string silent_members() {
    std::string text = "somebody does not go on:";
    for (const auto& member : members_) {
      const std::int64_t last = member->said().empty() ? 0 : member->said().back();
      text += ' ' + member->role() + " (pid " + std::to_string(member->process().pid()) + ") was heard " +
              std::to_string((now_ns() - last) / 1'000'000) + " ms ago;";
    }
    return text;
  }

  void wait_for_a_moment() {
    std::size_t lines = 0;
    const std::size_t enough = random_.below(30);
    pump_until([&] { return (lines += pump(1'000'000)) >= enough; });
    const std::int64_t moment = now_ns() + static_cast<std::int64_t>(random_.below(4'000'000));
    while (now_ns() < moment) pump(0);
  }

  std::vector<Member*> choose_victims() {
    std::vector<Member*> victims;
    for (std::uint64_t left = random_.chance(40) ? 2 : 1; left > 0; --left) {
      Member* victim = nullptr;
      const bool works = random_.chance(40);  // a worker's death takes most to mend
      while (victim == nullptr || victim->is_worker() != works) victim = members_[random_.below(members_.size())].get();
      if (std::find(victims.begin(), victims.end(), victim) == victims.end()) victims.push_back(victim);
    }
    return victims;
  }

  // They hold for a moment whatever they hold.
  void stop(const std::vector<Member*>& victims) {
    for (Member* victim : victims) victim->process().kill(SIGSTOP);
    tally_.stops += victims.size();
    const std::int64_t moment = now_ns() + static_cast<std::int64_t>(random_.below(4'000'000));
    while (now_ns() < moment) pump(0);
  }

  // Of a worker it may be the guard that is killed, or a keeper, or the guard as well. Returns whose own process was.
  std::set<Member*> kill(const std::vector<Member*>& victims) {
    constexpr std::uint64_t kGuard = 0, kKeeper = 1, kWorker = 3;  // 2: guard and worker; 3 and above: the worker alone
    std::set<Member*> dead;
    for (Member* victim : victims) {
      const std::uint64_t part = victim->is_worker() ? random_.below(6) : kWorker;
      const pid_t guard = part < kWorker ? test::guard_below(victim->process().pid()) : 0;
      const pid_t keeper = part == kKeeper && guard != 0 ? test::guard_below(guard) : 0;
      const pid_t below = keeper != 0 ? keeper : guard;
      if (below != 0 && ::kill(below, SIGKILL) == 0) ++(keeper != 0 ? tally_.keepers : tally_.guards);
      if (part == kGuard || part == kKeeper) {
        victim->process().kill(SIGCONT);
        continue;
      }
      victim->process().kill(SIGKILL);
      ++tally_.processes;
      dead.insert(victim);
    }
    return dead;
  }

  // Until the jobs of the dead workers are ready again; if nobody is there to rescue them, whoever comes next has to.
  void await_rescue(const std::set<Member*>& dead, std::int64_t killed) {
    const auto is_dead = [&](const auto& member) { return dead.contains(member.get()); };
    const bool nobody_is_left =
        std::all_of(members_.begin(), members_.end(), [&](auto& m) { return !m->is_worker() || is_dead(m); });
    if (nobody_is_left) return;
    for (Member* victim : dead) {
      if (!victim->is_worker()) continue;
      for (;;) {
        const auto died = queue_.events({.after = last_seen_, .types = {EventType::worker_died}, .limit = 1'000'000});
        if (std::any_of(died.begin(), died.end(), [&](auto& e) { return e.worker == victim->worker(); })) break;
        const EventSeq newest = queue_.stats().last_event;
        BOOST_REQUIRE(queue_.wait_events(newest, kPatience) > newest);
        pump(0);
      }
      tally_.rescues.values.push_back(now_ns() - killed);
      BOOST_TEST(tally_.rescues.values.back() < kLongestPauseNs);
    }
    last_seen_ = queue_.stats().last_event;
  }

  void await_survivors(const std::set<Member*>& dead, std::int64_t killed) {
    const auto heard_since = [&](const Member& member) {
      return member.said().end() - std::upper_bound(member.said().begin(), member.said().end(), killed);
    };
    // Twice: so that it is no echo of what was under way.
    pump_until([&] {
      return std::all_of(members_.begin(), members_.end(),
                         [&](auto& m) { return dead.contains(m.get()) || heard_since(*m) >= 2; });
    });
    for (const auto& member : members_) {
      if (dead.contains(member.get())) continue;
      const std::int64_t pause = *(member->said().end() - heard_since(*member)) - killed;
      tally_.pauses.values.push_back(pause);
      BOOST_TEST(pause < kLongestPauseNs, member->role() << " was not heard for " << pause / 1'000'000 << " ms");
    }
  }

  // What it said last, and some of the rest. In the end all are looked for.
  void look_for_acknowledged(Member& member) {
    const std::set<JobId>& ids = member.acknowledged();
    auto id = ids.rbegin();
    for (std::size_t i = 0; i < 50 && id != ids.rend(); ++i, ++id) look_for(*id);
    for (int i = 0; i < 20 && !ids.empty(); ++i) look_for(*ids.lower_bound(random_.below(*ids.rbegin())));
  }

  void look_for(JobId id) {
    if (!queue_.get(id)) BOOST_ERROR("job " << id << " was acknowledged, and is lost");
  }

  void check_done(JobId id) {
    const auto result = queue_.result(id);
    BOOST_REQUIRE(result);
    if (result->state != State::succeeded) BOOST_ERROR("job " << id << ": " << result->error);
    if (!test::is_whole(result->value.bytes)) BOOST_ERROR("the result of job " << id << " is not whole");
  }

  void let_go(const std::string& role) {
    for (const auto& member : members_) {
      if (member->role() != role) continue;
      member->process().close_input();
      member->take_rest();
      BOOST_TEST(member->process().wait() == 0);
    }
  }

  Random& random_;
  Tally& tally_;
  Marked marked_;
  FileStore store_;
  TaskQueue& queue_ = store_.queue;
  std::vector<std::unique_ptr<Member>> members_;
  EventSeq last_seen_ = 0;
};

Tally tally;

BOOST_AUTO_TEST_SUITE(kill)

BOOST_AUTO_TEST_CASE(nothing_is_lost_and_everybody_goes_on_when_processes_are_killed) {
  const char* const rounds = std::getenv("TQ_TEST_ROUNDS");
  const std::size_t wanted = rounds != nullptr ? static_cast<std::size_t>(std::atoll(rounds)) : 50;
  Random random;
  while (tally.kills() < wanted) {
    const std::size_t enough = std::min(wanted, tally.kills() + kKillsPerStore);
    KillTest test(random, tally);
    while (tally.kills() < enough) test.round();
    test.finish();
  }
  if (wanted < 500) return;
  BOOST_TEST(tally.guards > 0u);
  BOOST_TEST(tally.keepers > 0u);
}

BOOST_AUTO_TEST_CASE(it_is_proved, *boost::unit_test::depends_on(
                                       "kill/nothing_is_lost_and_everybody_goes_on_when_processes_are_killed")) {
  std::cout << "until a survivor was heard again: " << tally.pauses.text() << ", " << tally.pauses.above(kAimNs)
            << " above 250 ms\nuntil the jobs of a dead worker were rescued: " << tally.rescues.text() << '\n'
            << "proved: " << tally.kills() << " kills (seed " << test::test_seed() << "), " << tally.guards
            << " of guards and " << tally.keepers << " of keepers, " << tally.stops
            << " of them of a stopped process: 0 of " << tally.acknowledged
            << " acknowledged jobs lost, every survivor went on within " << tally.pauses.ms(1) << " (p99 "
            << tally.pauses.ms(0.99) << "), rescue p99 " << tally.rescues.ms(0.99) << ", 0 orphans\n";
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
