// judge STORE: reads on standard input what a script has said (script.cc), and looks whether the store holds it: what was
// acknowledged is there and right, the rest whole or not at all; and all works again. Says what is wrong, a line each, and
// "judged" at the end.
#include "base/fd.hpp"
#include "failing_calls/jobs.hpp"

#include <tq/tq.hpp>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

namespace tq::test {
namespace {

using namespace std::chrono_literals;

// What is known of a job by what the script has said.
struct Known {
  std::size_t size = 0;
  JobId id = 0;       // 0: never acknowledged
  std::string state;  // empty: any
  bool may_go = false;
  bool has_gone = false;
};

class Judge {
 public:
  explicit Judge(const std::string& store) : store_(store), queue_(store) {}

  void read(std::istream& lines) {
    for (std::string line; std::getline(lines, line);) take(line);
  }

  void judge() {
    queue_.collect();  // side files of those that failed
    find_jobs();
    for (const auto& [name, known] : known_) look_at(name, known);
    look_at_many();
    check("as it was found");
    go_on();
    check("after all was done");
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(store_).parent_path())) {
      if (entry.path().native().ends_with("-new")) complain("a file in the making was left: " + entry.path().native());
    }
  }

 private:
  static void complain(const std::string& text) { std::cout << text << '\n'; }

  void take(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::string name;
    words >> verb >> name;
    if (verb == "try") words >> known_[name].size;
    if (verb == "added") words >> known_[name].id;
    if (verb == "change") known_[name].state.clear();
    if (verb == "is") words >> known_[name].state;
    if (verb == "leave") known_[name].may_go = true;
    if (verb == "left") known_[name].has_gone = true;
  }

  void find_jobs() {
    for (const JobInfo& job : queue_.list({.limit = 1'000'000})) {
      const bool is_command = job.task == kExecTask;
      const std::string name = is_command ? "c1" : name_in(queue_.payload(job.id).value().bytes);
      if (!known_.contains(name)) {
        complain("job " + std::to_string(job.id) + " is there, and nobody has added it");
      } else if (!found_.emplace(name, job).second) {
        complain(name + " is there twice");
      } else if (!is_command && queue_.payload(job.id)->bytes != bytes_of(name, known_[name].size)) {
        complain(name + " is not whole");
      }
    }
  }

  void look_at(const std::string& name, const Known& known) {
    const auto found = found_.find(name);
    if (found == found_.end()) {
      if (known.id != 0 && !known.may_go) complain(name + " was acknowledged, and is lost");
      return;
    }
    const JobInfo& job = found->second;
    if (known.has_gone) complain(name + " was removed, and is there");
    if (known.id != 0 && job.id != known.id) complain(name + " has another id than was said");
    if (!known.state.empty() && to_string(job.state) != known.state)
      complain(name + " was " + known.state + " and is " + std::string(to_string(job.state)));
  }

  // Added in one transaction. What failed may have been forgotten since.
  void look_at_many() {
    std::size_t there = 0;
    for (const char* name : {"m1", "m2", "m3"}) {
      if (known_[name].may_go) return;
      there += found_.count(name);
    }
    if (there != 0 && there != 3) complain("some of those that were added together are there");
  }

  void check(const std::string& when) {
    for (const std::string& problem : queue_.check(true).problems) complain("check, " + when + ": " + problem);
  }

  void go_on() {
    queue_.pause("heap");
    queue_.resume("heap");
    const JobId fresh = queue_.enqueue("give", {"raw", bytes_of("fresh", 70'000)});
    Worker worker(queue_, {.concurrency = 2, .max_crashes = 1000, .commands = true, .drain = true});
    handle_all(worker);
    worker.run();
    if (queue_.result(fresh).value().state != State::succeeded) complain("a new job was not done");
    for (const JobInfo& job : queue_.list({.limit = 1'000'000})) look_at_end(job);
    if (queue_.workers().size() != 0) complain("a worker that is dead is still registered");
  }

  void look_at_end(const JobInfo& job) {
    const auto called = [&] { return job.task + " (job " + std::to_string(job.id) + ")"; };
    if (job.state == State::scheduled && job.due > job.enqueued) return;
    if (!is_final(job.state)) return complain(called() + " is " + std::string(to_string(job.state)) + " for ever");
    if (job.state == State::failed && job.error.empty()) complain(called() + " failed, and does not say why");
    if (job.state != State::succeeded || job.task == kExecTask) return;
    if (queue_.result(job.id)->value != queue_.payload(job.id)) complain("the result of " + called() + " is not whole");
  }

  const std::string store_;
  TaskQueue queue_;
  std::map<std::string, Known> known_;
  std::map<std::string, JobInfo> found_;
};

}  // namespace
}  // namespace tq::test

int main(int, char** argv) try {
  tq::test::Judge judge(argv[1]);
  judge.read(std::cin);
  judge.judge();
  std::cout << "judged" << std::endl;
  return 0;
} catch (const std::exception& error) {
  std::cout << "it does not go on: " << error.what() << std::endl;
  return 1;
}
