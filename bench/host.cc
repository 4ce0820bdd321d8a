// bench-host STORE COUNT MEGABYTES
//
// A program of that size which embeds a worker: prints how long one of COUNT commands `true` takes, one after the other,
// and beside it what fork and exec from this very process take.
#include "processes.hpp"
#include "samples.hpp"

#include <tq/tq.hpp>

int main(int argc, char* argv[]) {
  if (argc < 4) return 2;
  const int count = std::atoi(argv[2]);
  const std::vector<char> ballast(std::strtoull(argv[3], nullptr, 10) << 20, 'x');

  tq::TaskQueue queue(argv[1]);
  const tq::Command command{{"true"}, {{"PATH", "/usr/bin:/bin"}}, "/", {}};
  for (int i = 0; i < count; ++i) queue.enqueue(command);
  tq::Worker worker(queue, {.concurrency = 1, .commands = true, .drain = true});
  bench::print("worker", {bench::time_us([&] { worker.run(); }) / count});

  const int forks = std::min(count, 20);
  const double fork_us = bench::time_us([&] {
    for (int i = 0; i < forks; ++i) {
      const pid_t child = ::fork();
      if (child == 0) {
        ::execlp("true", "true", nullptr);
        ::_exit(127);
      }
      bench::await(child);
    }
  });
  bench::print("fork", {fork_us / forks});
  return ballast.empty() || ballast.back() == 'x' ? 0 : 1;
}
