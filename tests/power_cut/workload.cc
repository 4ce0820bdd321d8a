// A process whose store is to lose power: workload STORE ROLE SEED AMOUNT. It notes what it tries and what it is told (note.hpp).
#include "base/fd.hpp"
#include "power_cut/content.hpp"
#include "power_cut/note.hpp"

#include <tq/tq.hpp>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace tq::test::power_cut {
namespace {

using namespace std::chrono_literals;

using Generator = std::mt19937_64;

struct Task {
  std::string store;
  std::uint64_t seed;
  std::uint64_t amount;
};

std::string text(std::uint64_t number) { return std::to_string(number); }

const std::string& any(Generator& random, const std::vector<std::string>& of) { return of[random() % of.size()]; }

// --- producer: adds AMOUNT jobs on each of two threads, alone and together -------------------------------------------

void add_one(TaskQueue& queue, const std::string& token) {
  const JobSpec job = job_of(token);
  note("try add " + token);
  const JobId id = queue.enqueue(job.task, job.payload, job.options);
  note("add " + text(id) + ' ' + token);
}

void add_some(TaskQueue& queue, const std::vector<std::string>& tokens) {
  std::vector<JobSpec> jobs;
  for (const std::string& token : tokens) {
    note("try add " + token);
    jobs.push_back(job_of(token));
  }
  const std::vector<JobId> ids = queue.enqueue_many(jobs);
  for (std::size_t i = 0; i < ids.size(); ++i) note("add " + text(ids[i]) + ' ' + tokens[i]);
}

void add_all(TaskQueue& queue, const std::string& name, Generator random, std::uint64_t amount) {
  const std::vector<std::string> kinds = {"echo", "echo",  "echo", "echo", "echo",
                                          "save", "spawn", "fail", "park", "park"};
  std::uint64_t number = 0;
  const auto token = [&](const std::string& kind) { return kind + ' ' + name + ' ' + text(++number); };
  while (number < amount) {
    if (random() % 8 == 0) {
      add_some(queue, {token(any(random, kinds)), token(any(random, kinds)), token(any(random, kinds))});
    } else {
      add_one(queue, token(random() % 16 == 0 ? "big" : any(random, kinds)));
    }
  }
}

void produce(const Task& task) {
  TaskQueue queue(task.store);
  const std::string name = text(task.seed);
  std::jthread other([&] { add_all(queue, name + 'b', Generator(task.seed + 1000), task.amount); });
  add_all(queue, name + 'a', Generator(task.seed), task.amount);
}

// --- worker: runs jobs until its standard input ends; with an AMOUNT, is killed in the middle of so many --------------

class Handlers {
 public:
  explicit Handlers(std::uint64_t life) : left_(life) {}

  void add_to(Worker& worker) {
    for (const char* task : {"echo", "save", "spawn", "fail", "big"}) {
      worker.handle(task, [this](const Payload& payload, Context& context) { return run(payload, context); });
    }
  }

 private:
  Payload run(const Payload& payload, Context& context) {
    const std::string token = token_in(payload.bytes);
    note("ran " + text(context.id()) + ' ' + token);
    if (--left_ == 0) die();
    const std::string kind = kind_of(token);
    if (kind == "fail") throw Verdict::fail("it was to fail");
    if (kind == "save") {
      context.log("about to save");
      context.save(saved_of(token));
      note("saved " + text(context.id()));
    }
    if (kind == "spawn") {
      const JobSpec job = job_of(token + '+');
      note("try add " + token + '+');
      context.enqueue(job.task, job.payload, job.options);
    }
    return {"raw", result_of(token)};
  }

  std::atomic<std::uint64_t> left_;
};

void work(const Task& task) {
  TaskQueue queue(task.store);
  Worker worker(queue, {.concurrency = 3, .max_crashes = 1'000'000});
  Handlers handlers(task.amount);
  handlers.add_to(worker);
  worker.start();
  base::read_all(STDIN_FILENO, "standard input");
  worker.stop();
  worker.join();
}

// --- controller: AMOUNT steps ----------------------------------------------------------------------------------------

class Controller {
 public:
  Controller(const Task& task) : queue_(task.store), random_(task.seed), name_(text(task.seed)) {}

  void step() {
    using Step = void (Controller::*)();
    constexpr Step kSteps[] = {&Controller::see_ends, &Controller::see_ends, &Controller::cancel, &Controller::cancel,
                               &Controller::retry,    &Controller::remove,   &Controller::set,    &Controller::pause,
                               &Controller::limit,    &Controller::purge};
    (this->*kSteps[random_() % std::size(kSteps)])();
  }

 private:
  std::vector<JobInfo> jobs(std::vector<State> states) {
    std::vector<JobInfo> found = queue_.list({.states = std::move(states), .limit = 30});
    std::shuffle(found.begin(), found.end(), random_);
    return found;
  }

  // A state that was seen is durable once a later change is: commits are in one order.
  void see_ends() {
    std::vector<std::string> words;
    for (const JobInfo& job : jobs({State::succeeded, State::failed})) {
      words.push_back("final " + text(job.id) + ' ' + std::string(to_string(job.state)));
    }
    add_some(queue_, {"echo " + name_ + "c " + text(++number_)});
    for (const std::string& word : words) note(word);
  }

  void cancel() {
    for (const JobInfo& job : jobs({State::scheduled, State::ready})) {
      note("try cancel " + text(job.id));
      const CancelOutcome outcome = queue_.cancel(job.id, "it was to be cancelled");
      note((outcome == CancelOutcome::cancelled ? "cancel " : "leave ") + text(job.id));
      return;
    }
  }

  void retry() {
    for (const JobInfo& job : jobs({State::cancelled, State::failed})) {
      note("try retry " + text(job.id));
      queue_.retry(job.id);
      note("retry " + text(job.id));
      return;
    }
  }

  // Follow-ups stay, so that their parents can be asked for them.
  void remove() {
    for (const JobInfo& job : jobs({State::succeeded, State::failed, State::cancelled})) {
      if (job.labels.at(0).ends_with('+')) continue;
      note("try remove " + text(job.id));
      queue_.remove(job.id);
      note("remove " + text(job.id));
      return;
    }
  }

  void set() {
    for (const JobInfo& job : jobs({State::scheduled})) {
      const std::string words = text(job.id) + ' ' + text(random_() % 1000);
      note("try priority " + words);
      queue_.set(job.id, {.priority = std::stoi(words.substr(words.find(' ')))});
      note("priority " + words);
      return;
    }
  }

  void pause() {
    is_paused_ = !is_paused_;
    note(is_paused_ ? "try paused 1" : "try paused 0");
    is_paused_ ? queue_.pause(kParked) : queue_.resume(kParked);
    note(is_paused_ ? "paused 1" : "paused 0");
  }

  void limit() {
    const std::uint64_t limit = random_() % 2 == 0 ? 0 : 1000 + random_() % 1000;
    note("try limit " + text(limit));
    queue_.configure(kParked, {.max_size = limit});
    note("limit " + text(limit));
  }

  void purge() {
    if (random_() % 3 != 0 || !queue_.queue(kParked)) return;
    note("try purge");
    queue_.purge(kParked);
    note("purge");
  }

  TaskQueue queue_;
  Generator random_;
  const std::string name_;
  std::uint64_t number_ = 0;
  bool is_paused_ = false;
};

void control(const Task& task) {
  Controller controller(task);
  for (std::uint64_t i = 0; i < task.amount; ++i) controller.step();
}

const std::map<std::string, std::function<void(const Task&)>> kRoles = {
    {"producer", produce}, {"worker", work}, {"controller", control}};

// As if somebody had made one of the directories on the way, and not come to sync it yet.
void make_unsynced_directory(const std::string& store) {
  ::mkdir(std::filesystem::path(store).parent_path().parent_path().c_str(), 0700);
}

}  // namespace
}  // namespace tq::test::power_cut

int main(int, char** argv) try {
  tq::test::power_cut::make_unsynced_directory(argv[1]);
  tq::test::power_cut::kRoles.at(argv[2])({argv[1], std::stoull(argv[3]), std::stoull(argv[4])});
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "workload: %s\n", error.what());
  return 1;
}
