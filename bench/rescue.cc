// bench-rescue STORE COUNT
//
// Kills a `tq worker` with SIGKILL in the middle of a job, COUNT times, while another one looks on; prints how long it
// took from the kill until the job was ready again (its `crashed` event could be read), in microseconds.
#include "processes.hpp"
#include "samples.hpp"

#include <tq/tq.hpp>

#include <chrono>
#include <csignal>
#include <stdexcept>

namespace {

using namespace std::chrono_literals;

// Sleeps until there is an event of this type and job, beyond `after`.
void await_event(const tq::TaskQueue& queue, tq::JobId job, tq::EventType type, tq::EventSeq after) {
  for (tq::EventSeq seen = after;;) {
    if (!queue.events({.after = after, .job = job, .types = {type}}).empty()) return;
    const tq::EventSeq newest = queue.wait_events(seen, 10s);
    if (newest == seen) throw std::runtime_error("nothing happened for 10 s");
    seen = newest;
  }
}

pid_t start_worker(const char* store, const char* queue) {
  std::vector<std::string> words{"tq", "-q", "-f", store, "worker", "-j1", "-Q", queue};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  return bench::spawn(argv.data());
}

}  // namespace

int main(int argc, char* argv[]) {
  if (argc < 3) return 2;
  tq::TaskQueue queue(argv[1]);
  const tq::Command command{{"sleep", "1000"}, {{"PATH", "/usr/bin:/bin"}}, "/", {}};
  const pid_t onlooker = start_worker(argv[1], "quiet");
  std::vector<double> samples;
  for (int i = 0; i < std::atoi(argv[2]); ++i) {
    const tq::JobId job = queue.enqueue(command, {.queue = "busy"});
    const pid_t worker = start_worker(argv[1], "busy");
    await_event(queue, job, tq::EventType::started, 0);
    const tq::EventSeq before = queue.stats().last_event;
    samples.push_back(bench::time_us([&] {
      ::kill(worker, SIGKILL);
      await_event(queue, job, tq::EventType::crashed, before);
    }));
    bench::await(worker);
    queue.cancel(job);
  }
  ::kill(onlooker, SIGTERM);
  bench::await(onlooker);
  bench::print("rescue", samples);
}
