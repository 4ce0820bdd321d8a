// A process for tests: actor STORE ROLE [ARGUMENT...]. What each role does and says stands above its function; all end when
// their standard input ends, if they do not end by themselves.
#include "base/fd.hpp"
#include "engine/claim.hpp"
#include "engine/workers.hpp"
#include "queue/impl.hpp"

#include <tq/tq.hpp>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <string>
#include <unistd.h>
#include <vector>

namespace tq {
namespace {

using Arguments = std::vector<std::string>;

// One write, so that a kill leaves a whole line or none.
void say(const std::string& line) { base::write_all(STDOUT_FILENO, line + '\n', "standard output"); }

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

const std::map<std::string, std::function<void(TaskQueue&, const Arguments&)>> kRoles = {
    {"enqueue", enqueue},
    {"wait", wait},
    {"hold", hold},
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
