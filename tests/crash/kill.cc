// The kill test: two producers, two workers and a reader at work on one store, and in each round some of them, or a worker's
// guard, are killed with -9 at a moment that chance chooses. After each round every job that was acknowledged is there and
// every process that was not killed goes on, and what a dead worker had in hand is ready again.
//
// TQ_CRASH_ROUNDS sets the number of rounds, TQ_TEST_SEED what chance chooses.
#include "crash/payloads.hpp"
#include "queue/stores.hpp"
#include "support/marked.hpp"
#include "support/process.hpp"
#include "support/random.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fcntl.h>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

namespace tq {
namespace {

using test::FileStore;
using test::kPatience;
using test::Marked;
using test::Process;
using test::Random;
using test::shell;
using namespace std::chrono_literals;

// Read for two purposes only: to choose moments, and to measure. Nothing waits for a time to pass.
std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

// Far above what it takes (the figures are printed), for machines that are busy with other things.
constexpr std::int64_t kLongestPauseNs = 5'000'000'000;

pid_t guard_of(pid_t worker) {
  std::ifstream file("/proc/" + std::to_string(worker) + "/task/" + std::to_string(worker) + "/children");
  for (pid_t child; file >> child;) {
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(child) + "/comm") >> std::ws, name);
    if (name == "tq-guard") return child;
  }
  return 0;
}

// One of the five, with what it has said.
class Member {
 public:
  Member(std::vector<std::string> arguments, const Marked& marked) : arguments_(std::move(arguments)), marked_(marked) {
    begin();
  }

  void begin() {
    process_ = std::make_unique<Process>(arguments_, std::vector{marked_.variable()});
    ::fcntl(process_->output(), F_SETPIPE_SZ, 1 << 20);  // it must not wait for its reader
    said_.clear();
    worker_ = 0;
  }

  const std::string& role() const { return arguments_.at(2); }
  bool is_worker() const { return role() == "worker"; }
  Process& process() { return *process_; }
  // When it said something, in order.
  const std::vector<std::int64_t>& said() const { return said_; }
  WorkerId worker() const { return worker_; }
  bool is_ready() const { return said_.size() > 3 && (!is_worker() || worker_ != 0); }
  std::set<JobId>& acknowledged() { return acknowledged_; }

  void take_lines() {
    while (const auto line = process_->take_line()) take(*line);
  }
  // What it said before it died.
  void take_rest() {
    while (process_->read_some()) {
    }
    take_lines();
  }

 private:
  void take(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::int64_t time = 0;
    words >> verb >> time;
    said_.push_back(time);
    if (verb == "worker") words >> worker_;
    if (verb != "ack") return;
    for (JobId id = 0; words >> id;)
      BOOST_TEST(acknowledged_.insert(id).second, "job " << id << " was given out twice");
  }

  const std::vector<std::string> arguments_;
  const Marked& marked_;
  std::unique_ptr<Process> process_;
  std::vector<std::int64_t> said_;
  WorkerId worker_ = 0;
  std::set<JobId> acknowledged_;
};

struct Figures {
  std::vector<std::int64_t> values;

  std::string text() {
    if (values.empty()) return "none";
    std::sort(values.begin(), values.end());
    const auto ms = [&](double share) {
      const auto index = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
      std::ostringstream text;
      text << std::round(static_cast<double>(values[index]) / 1e5) / 10 << " ms";
      return text.str();
    };
    return "p50 " + ms(0.5) + ", p99 " + ms(0.99) + ", max " + ms(1) + " of " + std::to_string(values.size());
  }
};

class KillTest {
 public:
  KillTest() {
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
    start("reader");
  }

  void round() {
    pump_until([&] { return std::all_of(members_.begin(), members_.end(), [](auto& m) { return m->is_ready(); }); });
    wait_for_a_moment();
    const std::vector<Member*> victims = choose_victims();
    const std::int64_t killed = now_ns();
    const std::set<Member*> dead = kill(victims);
    await_rescue(dead, killed);
    await_survivors(dead, killed);
    for (Member* member : dead) {
      member->process().wait();
      member->take_rest();
    }
    look_for_acknowledged();
    for (Member* member : dead) member->begin();
  }

  void finish() {
    let_go("producer");
    queue_.configure("work", {});
    for (EventSeq last = 0; queue_.queue("work")->unfinished() != 0;) {
      const EventSeq newest = queue_.wait_events(last, kPatience);
      BOOST_REQUIRE(newest > last);
      last = newest;
      pump(0);
    }
    for (const auto& member : members_) {
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

  std::string report() {
    std::size_t acknowledged = 0;
    for (const auto& member : members_) acknowledged += member->acknowledged().size();
    std::ostringstream text;
    text << "seed " << test::test_seed() << ": " << kills_ << " kills, " << acknowledged << " jobs acknowledged, "
         << queue_.stats().crashes << " rescued\n"
         << "  until a survivor was heard again: " << pauses_.text() << '\n'
         << "  until the jobs of a dead worker were rescued: " << rescues_.text() << '\n';
    return text.str();
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
      Member* const victim = members_[random_.below(members_.size())].get();
      if (std::find(victims.begin(), victims.end(), victim) == victims.end()) victims.push_back(victim);
    }
    return victims;
  }

  // Of a worker it may be the guard that is killed, or both. Returns whose own process was.
  std::set<Member*> kill(const std::vector<Member*>& victims) {
    std::set<Member*> dead;
    for (Member* victim : victims) {
      const std::uint64_t part = victim->is_worker() ? random_.below(4) : 3;  // 0: the guard, 1: both, else the process
      const pid_t guard = part < 2 ? guard_of(victim->process().pid()) : 0;
      ++kills_;
      if (guard != 0) ::kill(guard, SIGKILL);
      if (part == 0) continue;
      victim->process().kill(SIGKILL);
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
      rescues_.values.push_back(now_ns() - killed);
      BOOST_TEST(rescues_.values.back() < kLongestPauseNs);
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
      pauses_.values.push_back(pause);
      BOOST_TEST(pause < kLongestPauseNs, member->role() << " was not heard for " << pause / 1'000'000 << " ms");
    }
  }

  // Those of the last rounds one by one, and some of the others.
  void look_for_acknowledged() {
    for (const auto& member : members_) {
      const std::set<JobId>& ids = member->acknowledged();
      auto id = ids.rbegin();
      for (std::size_t i = 0; i < 1000 && id != ids.rend(); ++i, ++id) look_for(*id);
      if (ids.empty()) continue;
      for (int i = 0; i < 20; ++i) {
        const auto some = ids.lower_bound(random_.below(*ids.rbegin()));
        if (some != ids.end()) look_for(*some);
      }
    }
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

  Random random_;
  Marked marked_;
  FileStore store_;
  TaskQueue& queue_ = store_.queue;
  std::vector<std::unique_ptr<Member>> members_;
  EventSeq last_seen_ = 0;
  std::size_t kills_ = 0;
  Figures pauses_;
  Figures rescues_;
};

BOOST_AUTO_TEST_SUITE(kill)

BOOST_AUTO_TEST_CASE(nothing_is_lost_and_everybody_goes_on_when_processes_are_killed) {
  const char* const rounds = std::getenv("TQ_CRASH_ROUNDS");
  KillTest test;
  for (int left = rounds != nullptr ? std::atoi(rounds) : 40; left > 0; --left) test.round();
  test.finish();
  std::cout << test.report();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
