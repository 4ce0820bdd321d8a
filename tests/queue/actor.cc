// A process for tests: actor STORE ROLE [ARGUMENT...]. What each role does and says stands above its function; all end when
// their standard input ends, if they do not end by themselves.
#include "base/fd.hpp"
#include "engine/claim.hpp"
#include "engine/workers.hpp"
#include "loop/watch.hpp"
#include "queue/impl.hpp"

#include <tq/tq.hpp>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <sys/resource.h>
#include <unistd.h>
#include <vector>

namespace tq {
namespace {

using Arguments = std::vector<std::string>;

// One write, so that a kill leaves a whole line or none.
void say(const std::string& line) { base::write_all(STDOUT_FILENO, line + '\n', "standard output"); }

void until_asked_to_stop(Context& context) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait(lock, context.stop_token(), [] { return false; });
}

void until_let_go() { base::read_all(STDIN_FILENO, "standard input"); }

// enqueue COUNT: adds jobs; says the id of each.
void enqueue(TaskQueue& queue, const Arguments& arguments) {
  for (int left = std::stoi(arguments.at(0)); left > 0; --left) say(std::to_string(queue.enqueue("work", {})));
}

// wait ID: says "waiting", then the job's state and result.
void wait(TaskQueue& queue, const Arguments& arguments) {
  const JobId id = std::stoull(arguments.at(0));
  say("waiting");
  const auto result = queue.wait(id);
  say(std::string(to_string(result->state)) + ' ' + result->value.bytes);
}

// hold: claims one job of the task "work" and says "holding ID".
void hold(TaskQueue& queue, const Arguments&) {
  TaskQueue::Impl& impl = queue.impl();
  model::WorkerRecord record;
  record.pid = ::getpid();
  record.pid_started = loop::process_started(record.pid);
  record.concurrency = 1;
  record.max_crashes = 3;
  record.tasks = {"work"};
  base::Fd lock;
  const auto claimed = impl.change(Room::spared, [&](engine::Ledger& ledger) {
    const WorkerId id = engine::register_worker(ledger, record);
    lock = impl.environment->locks().hold_worker(id);
    engine::ClaimRequest request;
    request.worker = id;
    request.tasks = record.tasks;
    return engine::claim(ledger, request);
  });
  say("holding " + std::to_string(claimed.at(0).id));
  until_let_go();
}

// work CONCURRENCY: a worker as `tq worker` is one. Says "running ID" when a handler begins. Tasks: "work" returns at once,
// "hold" when it is asked to stop, "stuck" never, "die" kills the process; and commands.
void work(TaskQueue& queue, const Arguments& arguments) {
  WorkerOptions options;
  options.concurrency = static_cast<std::uint32_t>(std::stoul(arguments.at(0)));
  options.shutdown_grace = Duration::zero();
  options.commands = true;
  options.own_process = true;
  Worker worker(queue, options);
  const auto running = [](Context& context) { say("running " + std::to_string(context.id())); };
  worker.handle("work", [&](const Payload& payload, Context& context) {
    running(context);
    return payload;
  });
  worker.handle("hold", [&](const Payload& payload, Context& context) {
    running(context);
    until_asked_to_stop(context);
    if (!payload.bytes.empty()) return payload;
    throw std::runtime_error("it was asked to stop");
  });
  worker.handle("stuck", [&](const Payload&, Context& context) -> Payload {
    running(context);
    for (;;) ::pause();
  });
  worker.handle("die", [&](const Payload&, Context&) -> Payload {
    const rlimit no_core{};
    ::setrlimit(RLIMIT_CORE, &no_core);
    std::signal(SIGSEGV, SIG_DFL);  // of a sanitizer
    std::raise(SIGSEGV);
    return {};
  });
  worker.start();
  until_let_go();
  worker.stop();
  worker.join();
}

const std::map<std::string, std::function<void(TaskQueue&, const Arguments&)>> kRoles = {
    {"enqueue", enqueue},
    {"wait", wait},
    {"hold", hold},
    {"work", work},
};

}  // namespace
}  // namespace tq

int main(int argc, char** argv) try {
  const std::vector<std::string> arguments(argv + 3, argv + argc);
  tq::TaskQueue queue(argv[1]);
  tq::kRoles.at(argv[2])(queue, arguments);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "actor: %s\n", error.what());
  return 1;
}
