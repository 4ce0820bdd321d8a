// Jobs that add jobs. What a handler enqueues through its context is committed together with its own success: an attempt
// that fails, or dies with its worker, has added nothing, and one that succeeds has added everything, once.
#include <tq/tq.hpp>

#include <chrono>
#include <iostream>
#include <stdexcept>

using namespace std::chrono_literals;

namespace {

tq::Payload take_order(const tq::Payload& order, tq::Context& context) {
  context.enqueue("invoice", order);
  if (context.attempt() == 1) throw std::runtime_error("out of paper");  // this attempt's invoice never existed
  context.enqueue("ship", order, {.priority = 10});
  return {"raw", "taken"};
}

// What every task here does beside its own work.
tq::Handler telling(tq::Handler handler) {
  return [handler](const tq::Payload& payload, tq::Context& context) {
    std::cout << "job " << context.id() << ", attempt " << context.attempt() << ": " << context.task() << ' '
              << payload.bytes << '\n';
    return handler(payload, context);
  };
}

tq::Payload do_nothing(const tq::Payload&, tq::Context&) { return {}; }

}  // namespace

int main() try {
  tq::TaskQueue queue("follow_up.tq");
  const tq::JobId order = queue.enqueue("order", {"raw", "two lamps"}, {.backoff = {.base = 10ms}});

  tq::Worker worker(queue);
  worker.handle("order", telling(take_order));
  worker.handle("invoice", telling(do_nothing));
  worker.handle("ship", telling(do_nothing));
  worker.start();
  if (!queue.wait(order, 30s)) throw tq::Error("the order is not done yet");
  // Whoever sees the order succeeded sees what it added: it was one commit.
  for (const tq::JobInfo& job : queue.list()) queue.wait(job.id, 30s);
  worker.stop();
  worker.join();

  for (const tq::JobInfo& job : queue.list()) {
    std::cout << "job " << job.id << ": " << job.task << ' ' << to_string(job.state) << '\n';
  }
  return 0;
} catch (const tq::Error& error) {
  std::cerr << "follow_up: " << error.what() << '\n';
  return 1;
}
