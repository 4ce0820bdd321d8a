// A process to be killed: victim STORE ROLE [ARGUMENT...]. Those that are killed at any moment say
// what they do in lines with the monotonic time at which it was done, in nanoseconds: so that whoever reads them later knows
// who went on when.
//
// Ends, but for those that end by themselves, when its standard input does.
#include "base/fd.hpp"
#include "crash/payloads.hpp"
#include "crash/verbs.hpp"
#include "queue/impl.hpp"

#include <tq/tq.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <time.h>
#include <unistd.h>

namespace tq::test {
namespace {

using namespace std::chrono_literals;

using Arguments = std::vector<std::string>;

// One write, so that a kill leaves a whole line or none.
void say_plainly(const std::string& line) { base::write_all(STDOUT_FILENO, line + '\n', "standard output"); }

void say(const std::string& verb, const std::string& rest = {}) {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t ns = now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
  say_plainly(verb + ' ' + std::to_string(ns) + (rest.empty() ? "" : " ") + rest);
}

// Is set when standard input ends.
class LetGo {
 public:
  LetGo()
      : thread_([this] {
          base::read_all(STDIN_FILENO, "standard input");
          has_come_ = true;
          has_come_.notify_all();
        }) {}
  ~LetGo() { thread_.join(); }
  bool has_come() const { return has_come_; }
  void wait() const { has_come_.wait(false); }

 private:
  std::atomic<bool> has_come_ = false;
  std::thread thread_;
};

// producer SEED: adds jobs of all sizes, alone and together; says "ack TIME ID..." of what was acknowledged, and "full TIME"
// when the queue was.
void produce(const std::string& store, const Arguments& arguments) {
  TaskQueue queue(store);
  const LetGo let_go;
  std::mt19937_64 random(std::stoull(arguments.at(0)));
  while (!let_go.has_come()) {
    const EventSeq last = queue.stats().last_event;
    try {
      const EnqueueOptions options{.queue = "work", .priority = static_cast<int>(random() % 3)};
      if (random() % 8 == 0) {
        std::vector<JobSpec> jobs;
        for (int i = 0; i < 3; ++i) jobs.push_back({"work", make_payload(random), options});
        std::string ids;
        for (const JobId id : queue.enqueue_many(jobs)) ids += (ids.empty() ? "" : " ") + std::to_string(id);
        say("ack", ids);
      } else {
        say("ack", std::to_string(queue.enqueue("work", make_payload(random), options)));
      }
    } catch (const QueueFull&) {
      say("full");
      queue.wait_events(last, 20ms);
    }
  }
}

// contender SEED: always wants the write lock, and adds jobs as `tq put --batch` does. Says "ack TIME ID..." of what was
// acknowledged, and "full TIME" when the queue was.
void contend(const std::string& store, const Arguments& arguments) {
  TaskQueue queue(store);
  const LetGo let_go;
  std::mt19937_64 random(std::stoull(arguments.at(0)));
  for (std::uint64_t turn = 0; !let_go.has_come(); ++turn) {
    if (turn % 16 != 0) {
      queue.resume("work");  // which changes nothing
      continue;
    }
    try {
      std::vector<JobSpec> jobs;
      for (int i = 0; i < 10; ++i) jobs.push_back({"work", make_payload(random, 100), {.queue = "work"}});
      std::string ids;
      for (const JobId id : queue.enqueue_many(jobs)) ids += (ids.empty() ? "" : " ") + std::to_string(id);
      say("ack", ids);
    } catch (const QueueFull&) {
      say("full");
    }
  }
}

// opener: opens the store, looks and closes it. Says "beat TIME" each time.
void open_and_close(const std::string& store, const Arguments&) {
  const LetGo let_go;
  while (!let_go.has_come()) {
    {
      TaskQueue queue(store);
      queue.stats();
    }
    say("beat");
  }
}

// worker SLOT: serves the queues of its slot and the common one. Says "beat TIME" whenever it has run a job, and
// "worker TIME ID" at the beginning. Tasks: "pulse" comes again every few milliseconds, "hold" runs until it is asked to
// stop, "work" returns its payload.
void work(const std::string& store, const Arguments& arguments) {
  TaskQueue queue(store);
  const std::string& slot = arguments.at(0);
  WorkerOptions options;
  options.queues = {"pulse-" + slot, "hold-" + slot, "work"};
  options.concurrency = 4;
  options.shutdown_grace = 0ms;
  options.kill_grace = 100ms;
  options.max_crashes = 1'000'000'000;
  options.commands = true;
  options.own_process = true;
  Worker worker(queue, options);
  worker.handle("pulse", [&](const Payload&, Context&) -> Payload {
    say("beat");
    throw Verdict::snooze(3ms);
  });
  worker.handle("hold", [](const Payload&, Context& context) -> Payload {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, context.stop_token(), [] { return false; });
    throw std::runtime_error("it was asked to stop");
  });
  worker.handle("work", [&](const Payload& payload, Context& context) {
    if (context.id() % 16 == 0) context.log(payload.bytes.substr(0, 100));
    if (context.id() % 32 == 0) context.save(payload.bytes);
    return payload;
  });
  const LetGo let_go;
  worker.start();
  for (EventSeq last = 0; worker.id() == 0;) last = queue.wait_events(last, 1s);
  say("worker", std::to_string(worker.id()));
  let_go.wait();
  worker.stop();
  worker.join();
}

// reader: looks at much, most of the time. Says "beat TIME" after each look.
void read(const std::string& store, const Arguments&) {
  TaskQueue queue(store);
  const LetGo let_go;
  for (EventSeq last = 0; !let_go.has_come();) {
    for (const JobInfo& job : queue.list({.limit = 20})) {
      queue.payload(job.id);
      queue.log(job.id);
    }
    queue.events({.after = last, .limit = 100});
    queue.stats();
    queue.queues();
    say("beat");
    last = queue.wait_events(last, 5ms);
  }
}

// add: opens or makes the store and adds one job; says "ack TIME ID".
void add(const std::string& store, const Arguments&) {
  TaskQueue queue(store);
  say("ack", std::to_string(queue.enqueue("work", {"raw", "abc"})));
}

// do VERB: says "done" when it is.
void act(const std::string& store, const Arguments& arguments) {
  TaskQueue queue(store);
  verb(arguments.at(0)).act(queue);
  say_plainly("done");
}

// Does it. If it fails, says with what, and returns false.
template <class Act>
bool try_to(Act act) {
  try {
    act();
    return true;
  } catch (const DiskFull&) {
    say_plainly("DiskFull");
  } catch (const IoError&) {
    say_plainly("IoError");
  }
  return false;
}

// twice VERB: if it fails, does it again through the same handle, or a first one. Says what failed, and "done".
void act_twice(const std::string& store, const Arguments& arguments) {
  std::optional<TaskQueue> queue;
  const auto act_once = [&] {
    if (!queue) queue.emplace(store);
    verb(arguments.at(0)).act(*queue);
  };
  if (!try_to(act_once)) act_once();
  say_plainly("done");
}

// anew VERB: the same, but opens the store again.
void act_anew(const std::string& store, const Arguments& arguments) {
  const auto act_once = [&] {
    TaskQueue queue(store);
    verb(arguments.at(0)).act(queue);
  };
  if (!try_to(act_once)) act_once();
  say_plainly("done");
}

const std::map<std::string, std::function<void(const std::string&, const Arguments&)>> kRoles = {
    {"producer", produce}, {"worker", work}, {"reader", read},     {"contender", contend}, {"opener", open_and_close},
    {"add", add},          {"do", act},      {"twice", act_twice}, {"anew", act_anew},
};

}  // namespace
}  // namespace tq::test

int main(int argc, char** argv) try {
  const std::vector<std::string> arguments(argv + 3, argv + argc);
  tq::test::kRoles.at(argv[2])(argv[1], arguments);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "victim: %s\n", error.what());
  return 1;
}
