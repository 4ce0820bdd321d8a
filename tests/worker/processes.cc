// Workers in several processes, and what becomes of jobs when they are killed.
#include "queue/actor.hpp"
#include "support/marked.hpp"
#include "worker/workshop.hpp"

#include <csignal>
#include <set>
#include <thread>

namespace tq {
namespace {

using test::Actor;
using test::Marked;
using test::shell;
using test::Signal;
using test::types;
using test::Workshop;
using namespace std::chrono_literals;

// What an actor in the role of a worker says: "running ID PID".
struct Running {
  JobId id = 0;
  static Running of(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    Running running;
    words >> verb >> running.id;
    BOOST_TEST(verb == "running", line);
    return running;
  }
};

class Processes : public Workshop {
 public:
  // A process with a worker of these tasks: "work" returns at once, "hold" until it is asked to stop, "die" kills its process.
  std::unique_ptr<Actor> spawn(const std::string& concurrency = "1") {
    return std::make_unique<Actor>(std::vector{marked.variable()}, store.path(), "work", concurrency);
  }
  JobId add(std::string_view task, const EnqueueOptions& options = {}) { return queue.enqueue(task, {}, options); }

  Marked marked;
};

BOOST_AUTO_TEST_SUITE(processes)

BOOST_FIXTURE_TEST_CASE(workers_in_several_processes_run_each_job_once, Processes) {
  std::vector<JobId> jobs;
  for (int i = 0; i < 300; ++i) jobs.push_back(add("work"));
  std::vector<std::unique_ptr<Actor>> workers;
  for (int i = 0; i < 3; ++i) workers.push_back(spawn("2"));
  for (const JobId id : jobs) end(id);
  std::set<JobId> ran;
  for (auto& worker : workers) {
    worker->let_go();
    while (const auto line = worker->try_line()) BOOST_TEST(ran.insert(Running::of(*line).id).second, *line);
    BOOST_TEST(worker->wait() == 0);
  }
  BOOST_TEST(ran.size() == jobs.size());
  BOOST_TEST(queue.stats().attempts == jobs.size());
}

BOOST_FIXTURE_TEST_CASE(a_job_whose_worker_is_killed_runs_once_more_at_once_in_another, Processes) {
  Signal running;
  auto victim = spawn();
  const JobId id = add("hold", {.max_retries = 0});
  BOOST_TEST(Running::of(victim->line()).id == id);
  handle("hold", [&](const Payload&, Context& context) {
    BOOST_TEST(context.attempt() == 1u);
    running.give();
    return Payload{"raw", "by another"};
  });
  handle("work", [](const Payload&, Context&) { return Payload{}; });
  start();
  end(add("work"));  // the victim is busy: so the other one is there and watches it
  victim->kill(SIGKILL);
  BOOST_TEST(end(id).value.bytes == "by another");
  running.take();
  BOOST_TEST(!running.has_come());
  BOOST_TEST(info(id).attempt == 1u);
  BOOST_TEST(info(id).crashes == 1u);
  BOOST_TEST(history(id) == "enqueued started crashed started succeeded");
  const Event crashed = event(id, EventType::crashed);
  BOOST_TEST(crashed.text.find("(pid " + std::to_string(victim->pid()) + ")") != std::string::npos, crashed.text);
  BOOST_TEST(crashed.text.ends_with("was killed by SIGKILL"), crashed.text);
  BOOST_TEST(queue.events({.types = {EventType::worker_died}}).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(neither_a_long_healthy_job_nor_the_backlog_runs_again_when_another_worker_dies, Processes) {
  auto healthy = spawn();
  const JobId kept = add("hold");
  BOOST_TEST(Running::of(healthy->line()).id == kept);
  auto victim = spawn();
  const JobId lost = add("hold");
  BOOST_TEST(Running::of(victim->line()).id == lost);
  const JobId waiting = add("hold");
  victim->kill(SIGKILL);
  event(lost, EventType::crashed);
  BOOST_TEST(info(kept).state == State::running);
  BOOST_TEST(history(kept) == "enqueued started");
  BOOST_TEST(history(waiting) == "enqueued");
  BOOST_TEST(info(lost).state == State::ready);
}

BOOST_FIXTURE_TEST_CASE(all_that_a_killed_worker_had_in_hand_is_ready_again_in_its_old_order, Processes) {
  handle("other", [](const Payload&, Context&) { return Payload{}; });
  start();  // it watches, and has no handler for what is lost
  auto victim = spawn("3");
  std::vector<JobId> jobs;
  for (int i = 0; i < 3; ++i) jobs.push_back(add("hold"));
  for (int i = 0; i < 3; ++i) victim->line();
  const JobId later = add("hold");
  victim->kill(SIGKILL);
  for (const JobId id : jobs) event(id, EventType::crashed);
  auto next = spawn();
  for (const JobId id : jobs) {
    BOOST_TEST(Running::of(next->line()).id == id);
    queue.cancel(id);
  }
  BOOST_TEST(Running::of(next->line()).id == later);
}

BOOST_FIXTURE_TEST_CASE(a_job_that_kills_its_worker_each_time_is_failed, Processes) {
  handle("ping", [](const Payload&, Context&) { return Payload{}; });
  start();
  end(add("ping"));  // it is there, and watches
  const JobId deadly = add("die", {.max_retries = 0});
  const JobId innocent = add("work");
  int deaths = 0;
  while (!queue.result(deadly)) {
    const auto victim = spawn();
    ++deaths;
    await(loop::kTopicWorkers | loop::kTopicFinal,
          [&] { return queue.events({.types = {EventType::worker_died}}).size() == static_cast<std::size_t>(deaths); });
    BOOST_TEST(victim->wait() == 128 + SIGSEGV);  // only now: of who has been waited for nobody can tell how it ended
  }
  BOOST_TEST(deaths == 3);
  const JobInfo job = info(deadly);
  BOOST_TEST(job.state == State::failed);
  BOOST_TEST(job.crashes == 3u);
  BOOST_TEST(job.error.find("died 3 times") != std::string::npos, job.error);
  BOOST_TEST(job.error.find("SIGSEGV") != std::string::npos, job.error);
  const auto survivor = spawn();
  BOOST_TEST(end(innocent).state == State::succeeded);
  BOOST_TEST(info(innocent).crashes == 0u);  // it only stood in line
}

BOOST_FIXTURE_TEST_CASE(the_commands_of_a_killed_worker_are_killed_before_they_run_again, Processes) {
  auto victim = spawn();
  const JobId id =
      queue.enqueue(marked.mark(shell("echo begun; setsid sleep 1000 & trap '' TERM; sleep 1000; sleep 1000")));
  await_output(id, "begun\n");
  const std::vector<pid_t> first = marked.pids();
  auto next = spawn();
  const auto is_second = [&] { return queue.events({.job = id, .types = {EventType::started}}).size() == 2; };
  victim->kill(SIGKILL);
  await(loop::kTopicEvents, is_second);
  for (const pid_t pid : marked.pids()) {
    BOOST_TEST((std::find(first.begin(), first.end(), pid) == first.end() || pid == next->pid()));
  }
  BOOST_TEST(info(id).crashes == 1u);
  next->kill(SIGKILL);
  BOOST_TEST(next->wait() == 128 + SIGKILL);
  start({.kill_grace = 10ms, .commands = true});
  await(loop::kTopicEvents, [&] { return queue.events({.job = id, .types = {EventType::started}}).size() == 3; });
}

pid_t guard_of(pid_t worker) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "stat");
    std::string pid;
    std::string name;
    std::string state;
    pid_t parent = 0;
    file >> pid >> name >> state >> parent;
    if (file && parent == worker && name == "(tq-guard)") return std::stoi(pid);
  }
  return 0;
}

BOOST_FIXTURE_TEST_CASE(a_draining_worker_waits_for_what_a_dying_one_had_in_hand, Processes) {
  auto victim = spawn();
  const JobId id = add("hold");
  BOOST_TEST(Running::of(victim->line()).id == id);
  const pid_t guard = guard_of(victim->pid());
  BOOST_REQUIRE(guard != 0);
  handle("hold", [](const Payload&, Context&) { return Payload{}; });
  handle("work", [&](const Payload&, Context&) {
    ::kill(guard, SIGSTOP);  // it holds the lock of its worker
    victim->kill(SIGKILL);
    BOOST_TEST(victim->wait() == 128 + SIGKILL);
    return Payload{};
  });
  const JobId last = add("work");
  std::thread draining([this] { drain(); });
  end(last);
  ::kill(guard, SIGCONT);
  draining.join();
  BOOST_TEST(info(id).state == State::succeeded);
  BOOST_TEST(queue.workers().empty());
}

BOOST_FIXTURE_TEST_CASE(a_guard_that_is_killed_takes_its_commands_with_it_and_is_replaced, Processes) {
  auto worker = spawn("2");
  const JobId holding = add("hold");
  BOOST_TEST(Running::of(worker->line()).id == holding);
  const JobId id = queue.enqueue(marked.mark(shell("echo $TQ_ATTEMPT; setsid sleep 1000 & sleep 1000")));
  await_output(id, "1\n");
  const pid_t guard = guard_of(worker->pid());
  BOOST_REQUIRE(guard != 0);
  const EventSeq before = queue.stats().last_event;
  ::kill(guard, SIGKILL);
  event(id, EventType::crashed);
  event(id, EventType::started, before);  // by the new one
  BOOST_TEST(info(id).crashes == 1u);
  BOOST_TEST(info(holding).state == State::running);  // a handler is not concerned
  BOOST_TEST(history(holding) == "enqueued started");
  queue.cancel(id);
  BOOST_TEST(end(id).state == State::cancelled);
  BOOST_TEST(marked.running() == 1u);  // the worker
}

BOOST_FIXTURE_TEST_CASE(a_guard_that_is_killed_while_it_has_nothing_to_do_is_replaced, Processes) {
  auto worker = spawn();
  BOOST_TEST(end(queue.enqueue(shell("true"))).state == State::succeeded);
  for (int i = 0; i < 3; ++i) {
    const pid_t guard = guard_of(worker->pid());
    BOOST_REQUIRE(guard != 0);
    ::kill(guard, SIGKILL);
    BOOST_TEST(end(queue.enqueue(shell("true"))).state == State::succeeded);
  }
}

BOOST_FIXTURE_TEST_CASE(nothing_is_left_when_worker_and_guard_are_killed_together, Processes) {
  handle("other", [](const Payload&, Context&) { return Payload{}; });
  start();
  auto worker = spawn();
  const JobId id = queue.enqueue(marked.mark(shell("echo begun; setsid sleep 1000 & sleep 1000")));
  await_output(id, "begun\n");
  const pid_t guard = guard_of(worker->pid());
  BOOST_REQUIRE(guard != 0);
  ::kill(guard, SIGSTOP);  // it could not clean up
  worker->kill(SIGKILL);
  ::kill(guard, SIGKILL);
  event(id, EventType::crashed);
  BOOST_TEST(marked.running() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_is_stopped_by_a_signal_is_not_dead, Processes) {
  auto worker = spawn();
  const JobId id = add("hold");
  worker->line();
  start();
  worker->kill(SIGSTOP);
  { const TaskQueue other(store.path()); }  // looks for the dead
  BOOST_TEST(info(id).state == State::running);
  worker->kill(SIGCONT);
  queue.cancel(id);
  BOOST_TEST(end(id).state == State::cancelled);
}

BOOST_FIXTURE_TEST_CASE(a_job_is_cancelled_from_another_process, Processes) {
  auto worker = spawn("2");
  const JobId held = add("hold");
  worker->line();
  const JobId command = queue.enqueue(marked.mark(shell("echo begun; sleep 1000")));
  await_output(command, "begun\n");
  queue.cancel(held, "enough");
  queue.cancel(command, "enough");
  BOOST_TEST(end(held).state == State::cancelled);
  BOOST_TEST(end(command).state == State::cancelled);
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_job_whose_worker_dies_is_cancelled, Processes) {
  auto worker = spawn();
  const JobId id = add("stuck");
  worker->line();
  queue.cancel(id, "enough");
  worker->kill(SIGKILL);
  handle("stuck", [](const Payload&, Context&) { return Payload{}; });
  start();
  BOOST_TEST(end(id).state == State::cancelled);
  BOOST_TEST(end(id).error == "enough");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
