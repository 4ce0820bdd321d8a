// Dying, or failing, at every named place on every way to a commit: what was acknowledged is there, what was not is there whole
// or not at all, and the store goes on.
#include "crash/verbs.hpp"
#include "engine/workers.hpp"
#include "queue/impl.hpp"
#include "queue/stores.hpp"
#include "support/process.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <poll.h>
#include <regex>
#include <set>
#include <sys/syscall.h>
#include <unistd.h>

namespace tq {
namespace {

using test::check_clean;
using test::Process;
using test::TempDir;
using test::Verb;
using test::verbs;

constexpr int kDied = 137;

// All that there are, by the sources.
std::set<std::string> failpoints() {
  const std::regex place(R"re((?:TQ_FAILPOINT|failpoint_errno|fail_at)\("([^"]+)")re");
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(TQ_SOURCES)) {
    if (entry.path().extension() != ".cc") continue;
    std::ifstream file(entry.path());
    const std::string text(std::istreambuf_iterator<char>(file), {});
    for (std::sregex_iterator match(text.begin(), text.end(), place), end; match != end; ++match) {
      names.insert((*match)[1]);
    }
  }
  return names;
}

// Those that this verb can meet: few of them make a file.
std::set<std::string> failpoints_of(const Verb& verb) {
  std::set<std::string> names = failpoints();
  if (verb.prepare && !verb.makes_files)
    std::erase_if(names, [](const std::string& name) { return name.starts_with("store.create."); });
  return names;
}

// A store on which the verb is done by a process that has a failpoint armed.
class Attempt {
 public:
  Attempt(const Verb& verb, const std::string& role, const std::string& failpoint) : verb_(verb) {
    if (verb.prepare) {
      TaskQueue queue(path());
      verb.prepare(queue);
    }
    Process process({TQ_TEST_VICTIM, path(), role, verb.name}, {"TQ_FAILPOINT=" + failpoint});
    while (const auto line = process.read_line()) said_.push_back(*line);
    exit_code_ = process.wait();
  }

  int exit_code() const { return exit_code_; }
  const std::vector<std::string>& said() const { return said_; }

  // What is found afterwards, and that all goes on.
  void look(bool must_be_done) {
    try {
      look_at_store(must_be_done);
    } catch (const std::exception& error) {
      BOOST_ERROR(error.what());
    }
  }

 private:
  std::string path() const { return dir_ / "jobs.tq"; }

  void look_at_store(bool must_be_done) {
    TaskQueue queue(path());
    await_guards(queue);
    queue.impl().rescue_dead();
    queue.collect();
    const bool is_done = verb_.is_done(queue);
    if (must_be_done) BOOST_TEST(is_done, "it was acknowledged, and is not done");
    check_clean(queue);
    if (!is_done) {
      verb_.act(queue);
      BOOST_TEST(verb_.is_done(queue), "it cannot be done any more");
      check_clean(queue);
    }
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      BOOST_TEST(!entry.path().native().ends_with("-new"), "a store in the making was left behind");
    }
  }

  // A dead worker's guard holds its lock until nothing of it runs any more.
  static void await_guards(TaskQueue& queue) {
    for (const auto& worker : engine::known_workers(queue.impl().environment->read())) {
      const base::Fd guard(static_cast<int>(::syscall(SYS_pidfd_open, worker.record.guard_pid, 0)));
      pollfd ended{guard.get(), POLLIN, 0};
      if (guard) BOOST_REQUIRE(::poll(&ended, 1, static_cast<int>(test::kPatience.count())) == 1);
    }
  }

  const Verb& verb_;
  TempDir dir_;
  std::vector<std::string> said_;
  int exit_code_ = 0;
};

// Does it with the failpoint at the first, second, ... time that it is met, until it is not. Returns how often it was.
int die_at_each(const Verb& verb, const std::string& name) {
  for (int time = 1;; ++time) {
    const std::string failpoint = name + "=exit@" + std::to_string(time);
    BOOST_TEST_CONTEXT(verb.name << " with TQ_FAILPOINT=" << failpoint) {
      Attempt attempt(verb, "do", failpoint);
      const bool has_died = attempt.exit_code() == kDied;
      BOOST_REQUIRE(has_died || attempt.exit_code() == 0);
      BOOST_TEST((has_died || !attempt.said().empty()));
      attempt.look(!attempt.said().empty());
      if (!has_died) return time - 1;
    }
  }
}

// Nobody can go on after it, whatever the reason.
bool is_for_good(const std::string& name) { return name == "store.intake.sync"; }

// The verb fails once with the exception that is told by its name, and is then done: with a full disk at once, else after the
// store was opened again. Places at which only dying makes sense do not fail.
void fail_at_each(const Verb& verb, const std::string& name, const std::string& action, int times) {
  for (int time = 1; time <= times; ++time) {
    const std::string failpoint = name + '=' + action + '@' + std::to_string(time);
    BOOST_TEST_CONTEXT(verb.name << " with TQ_FAILPOINT=" << failpoint) {
      const bool goes_on = action == "full" && !is_for_good(name);
      Attempt attempt(verb, goes_on ? "twice" : "anew", failpoint);
      BOOST_REQUIRE(attempt.exit_code() == 0);
      BOOST_REQUIRE(!attempt.said().empty());
      BOOST_TEST(attempt.said().back() == "done");
      if (attempt.said().size() == 2) BOOST_TEST(attempt.said()[0] == (goes_on ? "DiskFull" : "IoError"));
      // Not all are passed on: what a handler meets is one more failed attempt.
      const bool always_fails = verb.name != "work" &&
                                (name == "store.commit.before" || (name.starts_with("store.create.") && !verb.prepare));
      if (always_fails) BOOST_TEST(attempt.said().size() == 2u);
      attempt.look(true);
    }
  }
}

BOOST_AUTO_TEST_SUITE(failpoint)

BOOST_AUTO_TEST_CASE(the_places_are_found_in_the_sources) {
  const auto names = failpoints();
  BOOST_TEST(names.size() >= 12u);
  BOOST_TEST(names.contains("store.commit.before"));
  BOOST_TEST(names.contains("store.create.begin"));
}

// How often the verb meets the place; found out, once, by dying there.
int times_met(const Verb& verb, const std::string& name) {
  static std::map<std::pair<std::string, std::string>, int> known;
  const auto [found, is_new] = known.try_emplace({verb.name, name});
  if (is_new) found->second = die_at_each(verb, name);
  return found->second;
}

BOOST_AUTO_TEST_CASE(every_place_is_met_and_wherever_a_process_dies_the_store_is_whole) {
  std::set<std::string> never_met = failpoints();
  for (const Verb& verb : verbs()) {
    for (const std::string& name : failpoints_of(verb)) {
      if (times_met(verb, name) != 0) never_met.erase(name);
    }
  }
  BOOST_TEST(never_met == std::set<std::string>(), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(wherever_the_disk_fails_it_is_said_and_the_store_is_whole) {
  for (const Verb& verb : verbs()) {
    for (const std::string& name : failpoints_of(verb)) fail_at_each(verb, name, "error", times_met(verb, name));
  }
}

BOOST_AUTO_TEST_CASE(wherever_the_disk_is_full_it_is_said_and_the_same_handle_goes_on) {
  for (const Verb& verb : verbs()) {
    for (const std::string& name : failpoints_of(verb)) fail_at_each(verb, name, "full", times_met(verb, name));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
