// bench-fill STORE COUNT
//
// Adds COUNT commands `true` to a store, a thousand in each transaction.
#include <tq/tq.hpp>

#include <algorithm>
#include <cstdlib>

int main(int argc, char* argv[]) {
  if (argc < 3) return 2;
  tq::TaskQueue queue(argv[1]);
  const tq::Command command{{"true"}, {{"PATH", "/usr/bin:/bin"}}, "/", {}};
  const tq::JobId first = queue.enqueue(command);  // what a command's payload looks like is the queue's business
  const std::vector<tq::JobSpec> jobs(1000, {std::string(tq::kExecTask), queue.payload(first).value(), {}});
  for (std::size_t left = std::strtoull(argv[2], nullptr, 10) - 1; left > 0;) {
    const std::size_t count = std::min(left, jobs.size());
    queue.enqueue_many(std::span(jobs).first(count));
    left -= count;
  }
}
