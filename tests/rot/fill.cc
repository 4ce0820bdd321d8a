#include "crash/payloads.hpp"
#include "engine/due.hpp"
#include "queue/hand.hpp"
#include "rot/store.hpp"

namespace tq::test {
namespace {

using namespace std::chrono_literals;

// One of each form in which a store keeps bytes: in the record, in a record of its own, in chunks, in a file.
const std::vector<std::size_t> kSizes = {20, 300, 1'500, 9'000, 70'000};

const std::vector<std::string> kQueues = {"default", "mail", "reports"};

Payload payload(std::size_t number) {
  std::mt19937_64 random(number);
  return make_payload(random, kSizes[number % kSizes.size()]);
}

void add(TaskQueue& queue, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    queue.enqueue("work", payload(i),
                  {.queue = kQueues[i % kQueues.size()],
                   .priority = static_cast<int>(i % 4),
                   .labels = i % 3 == 0 ? std::vector<std::string>{"label", "another"} : std::vector<std::string>{}});
  }
}

// Leaves free pages behind, and pages that once held something else.
void come_and_go(TaskQueue& queue) {
  add(queue, 60);
  for (const std::string& name : kQueues) queue.purge(name);
}

void wait_for_times(TaskQueue& queue) {
  queue.enqueue("work", payload(2), {.delay = 1h});
  queue.enqueue("work", {}, {.delay = 2h, .expires_in = 72h});
  queue.enqueue("work", {}, {.queue = "mail", .expires_in = 24h});
  queue.enqueue(Command{.argv = {"true"}, .env = {{"PATH", "/bin"}}, .cwd = "/"});
}

void end_some(TaskQueue& queue, Hand& hand) {
  for (std::size_t i = 0; i < 12; ++i) {
    const engine::Claimed claimed = hand.claim();
    if (i % 2 == 0) hand.write(claimed, std::string(100 + 900 * i, static_cast<char>('a' + i)));
    if (i % 4 == 1) hand.save(claimed, std::string(300 * i * i, 's'));
    if (i % 4 == 3) {
      hand.fail(claimed, "it broke", i % 8 == 3);
    } else {
      hand.succeed(claimed, payload(i).bytes);
    }
  }
  std::size_t left = 3;
  for (const JobInfo& job : queue.list({.states = {State::ready}, .queue = "reports"})) {
    if (left-- == 0) break;
    queue.cancel(job.id, "not wanted");
  }
}

}  // namespace

WorkerId fill_store(const std::string& path, const std::function<void()>& between) {
  FakeClock clock;
  WorkerId worker = 0;
  const auto step = [&](const std::function<void(TaskQueue&)>& act) {
    {
      TaskQueue queue(path);
      queue.impl().clock = &clock;
      act(queue);
      clock.advance(1min);
    }
    between();
  };
  step(come_and_go);
  step([](TaskQueue& queue) { add(queue, 30); });
  step(wait_for_times);
  step([](TaskQueue& queue) {
    Hand hand(queue);
    end_some(queue, hand);
  });
  step([&](TaskQueue& queue) {
    queue.enqueue("work", {}, {.queue = "mail", .priority = -5, .expires_in = 1s});
    clock.advance(1min);
    queue.impl().change(Room::spared, [](engine::Ledger& ledger) { engine::fire_due(ledger, 100); });
  });
  step([](TaskQueue& queue) { queue.pause("reports"); });
  step([&](TaskQueue& queue) {
    auto hand = std::make_unique<Hand>(queue);
    worker = hand->id();
    for (int i = 0; i < 3; ++i) hand->write(hand->claim(), "it has begun\n");
    hand->die();
    add(queue, 7);
  });
  return worker;
}

}  // namespace tq::test
