// A store that several processes make at once, some of which are killed on the way.
#include "queue/stores.hpp"
#include "support/process.hpp"
#include "support/random.hpp"

#include <chrono>
#include <set>
#include <sstream>

namespace tq {
namespace {

using test::check_clean;
using test::Process;
using test::Random;
using test::TempDir;

// Takes all that was said, and the id of the job that was acknowledged, if one was.
void take_acknowledged(Process& process, std::set<JobId>& acknowledged) {
  while (const auto line = process.read_line()) {
    std::istringstream words(*line);
    std::string verb;
    std::int64_t time = 0;
    JobId id = 0;
    words >> verb >> time >> id;
    BOOST_TEST(verb == "ack");
    BOOST_TEST(acknowledged.insert(id).second);
  }
}

void check_store(const std::string& path, const std::set<JobId>& acknowledged) {
  TaskQueue queue(path, {.create = false});
  for (const JobId id : acknowledged) BOOST_TEST(queue.payload(id)->bytes == "abc");
  check_clean(queue);
}

BOOST_AUTO_TEST_SUITE(creation)

BOOST_AUTO_TEST_CASE(a_process_that_is_killed_while_it_makes_a_store_is_in_nobodys_way) {
  Random random;
  for (int round = 0; round < 30; ++round) {
    TempDir dir;
    const std::string path = dir / "jobs.tq";
    const std::vector<std::string> add = {TQ_TEST_VICTIM, path, "add"};
    Process victim(add);
    Process other(add);
    // From before its first instruction to after its last. Chance chooses the moment; nothing waits for it.
    const auto moment = std::chrono::steady_clock::now() + std::chrono::microseconds(random.below(30'000));
    while (std::chrono::steady_clock::now() < moment) continue;
    victim.kill(SIGKILL);
    std::set<JobId> acknowledged;
    take_acknowledged(victim, acknowledged);
    take_acknowledged(other, acknowledged);
    BOOST_TEST(other.wait() == 0);
    BOOST_TEST(!acknowledged.empty());
    Process next(add);
    take_acknowledged(next, acknowledged);
    BOOST_TEST(next.wait() == 0);
    check_store(path, acknowledged);
  }
}

BOOST_AUTO_TEST_CASE(wherever_the_maker_of_a_store_dies_another_finishes) {
  for (const char* place : {"begin", "written", "synced", "named", "directory", "end"}) {
    BOOST_TEST_CONTEXT("store.create." << place) {
      TempDir dir;
      const std::string path = dir / "jobs.tq";
      const std::vector<std::string> add = {TQ_TEST_VICTIM, path, "add"};
      const std::vector<std::string> dying = {"TQ_FAILPOINT=store.create." + std::string(place) + "=exit"};
      Process first(add, dying);
      Process second(add, dying);  // one makes the store, or both die of it
      Process third(add);
      std::set<JobId> acknowledged;
      for (Process* process : {&first, &second, &third}) take_acknowledged(*process, acknowledged);
      first.wait();
      second.wait();
      BOOST_TEST(third.wait() == 0);
      check_store(path, acknowledged);
    }
  }
}

BOOST_AUTO_TEST_CASE(many_processes_make_one_store) {
  TempDir dir;
  const std::string path = dir / "jobs.tq";
  std::vector<std::unique_ptr<Process>> processes;
  for (int i = 0; i < 20; ++i) {
    processes.push_back(std::make_unique<Process>(std::vector<std::string>{TQ_TEST_VICTIM, path, "add"}));
  }
  std::set<JobId> acknowledged;
  for (auto& process : processes) {
    take_acknowledged(*process, acknowledged);
    BOOST_TEST(process->wait() == 0);
  }
  BOOST_TEST(acknowledged.size() == processes.size());
  check_store(path, acknowledged);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
