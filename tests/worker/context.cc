#include "worker/workshop.hpp"

#include "support/message_of.hpp"

#include <tq/typed.hpp>

#include <limits>
#include <thread>

namespace tq {
namespace {

using test::message_of;
using test::Signal;
using test::until_asked_to_stop;
using test::Workshop;
using namespace std::chrono_literals;

const Backoff kNoWait{.kind = Backoff::Kind::constant, .base = 0ms, .jitter = 0};

BOOST_AUTO_TEST_SUITE(context)

BOOST_FIXTURE_TEST_CASE(a_handler_knows_which_attempt_it_runs, Workshop) {
  JobId id = 0;
  handle("work", [&](const Payload&, Context& context) -> Payload {
    BOOST_TEST(context.id() == id);
    BOOST_TEST(context.queue() == "images");
    BOOST_TEST(context.task() == "work");
    BOOST_TEST(!context.stop_token().stop_requested());
    if (context.attempt() < 3) throw std::runtime_error("again");
    return {};
  });
  id = add({.queue = "images", .max_retries = 2, .backoff = kNoWait});
  BOOST_TEST(drain() == 3u);
}

// --- progress and output ---

BOOST_FIXTURE_TEST_CASE(progress_is_seen_while_the_handler_runs, Workshop) {
  Signal go_on;
  handle("work", [&](const Payload&, Context& context) {
    context.progress(0.25, "a quarter");
    go_on.take();
    return Payload{};
  });
  const JobId id = add();
  start();
  const Event seen = event(id, EventType::progress);
  BOOST_TEST(seen.fraction == 0.25);
  BOOST_TEST(seen.text == "a quarter");
  BOOST_TEST(seen.attempt == 1u);
  BOOST_TEST(info(id).state == State::running);
  go_on.give();
  end(id);
}

BOOST_FIXTURE_TEST_CASE(of_progress_in_quick_succession_the_last_wins, Workshop) {
  handle("work", [&](const Payload&, Context& context) {
    for (int i = 0; i <= 1000; ++i) context.progress(i / 1000.0, std::to_string(i));
    return Payload{};
  });
  const JobId id = add();
  drain();
  const auto seen = queue.events({.job = id, .types = {EventType::progress}});
  BOOST_TEST(seen.size() < 20u);
  BOOST_REQUIRE(!seen.empty());
  BOOST_TEST(seen.back().fraction == 1.0);
  BOOST_TEST(seen.back().text == "1000");
  BOOST_TEST(history(id).ends_with("progress succeeded"), history(id));
}

BOOST_FIXTURE_TEST_CASE(progress_that_is_no_fraction_is_bounded, Workshop) {
  for (const double fraction :
       {-1.0, 2.0, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    handle("work", [&](const Payload&, Context& context) {
      context.progress(fraction);
      return Payload{};
    });
    const JobId id = add();
    drain();
    const Event seen = queue.events({.job = id, .types = {EventType::progress}}).at(0);
    BOOST_TEST(seen.fraction >= 0);
    BOOST_TEST(seen.fraction <= 1);
  }
}

BOOST_FIXTURE_TEST_CASE(lines_come_in_their_order_and_are_seen_while_the_handler_runs, Workshop) {
  Signal go_on;
  handle("work", [&](const Payload&, Context& context) {
    context.log("one");
    context.log("two\n");
    context.log("");
    go_on.take();
    context.log("three");
    return Payload{};
  });
  const JobId id = add();
  start();
  await_output(id, "one\ntwo\n\n");
  BOOST_TEST(info(id).state == State::running);
  go_on.give();
  end(id);
  BOOST_TEST(output(id) == "one\ntwo\n\nthree\n");
  for (const LogChunk& chunk : queue.log(id)) BOOST_TEST(chunk.stream == Stream::note);
}

BOOST_FIXTURE_TEST_CASE(a_handler_may_use_threads_of_its_own, Workshop) {
  handle("work", [&](const Payload&, Context& context) {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        for (int j = 0; j < 100; ++j) {
          context.log(std::to_string(i));
          context.progress(0.5);
        }
        context.save(std::to_string(i));
        context.enqueue("other", {"raw", std::to_string(i)});
      });
    }
    for (std::thread& thread : threads) thread.join();
    return Payload{};
  });
  const JobId id = add();
  drain();
  BOOST_TEST(end(id).state == State::succeeded);
  BOOST_TEST(output(id).size() == 4u * 100 * 2);
  BOOST_TEST(queue.list({.task = "other"}).size() == 4u);
}

BOOST_FIXTURE_TEST_CASE(output_of_every_attempt_is_kept, Workshop) {
  handle("work", [&](const Payload&, Context& context) -> Payload {
    context.log("attempt " + std::to_string(context.attempt()));
    if (context.attempt() == 1) throw std::runtime_error("again");
    return {};
  });
  const JobId id = add({.backoff = kNoWait});
  drain();
  BOOST_TEST(output(id) == "attempt 1\nattempt 2\n");
  BOOST_TEST(queue.log(id).at(1).attempt == 2u);
}

// --- saved state ---

BOOST_FIXTURE_TEST_CASE(what_is_saved_is_there_for_the_next_attempt, Workshop) {
  const std::string large(200'000, 's');
  handle("work", [&](const Payload&, Context& context) -> Payload {
    switch (context.attempt()) {
      case 1:
        BOOST_CHECK(!context.saved());
        context.save("first");
        context.save(std::string("sec\0nd", 6));
        break;
      case 2:
        BOOST_CHECK(context.saved() == std::string("sec\0nd", 6));
        context.save(large);
        break;
      default:
        BOOST_CHECK(context.saved() == large);
        context.save("");
        BOOST_CHECK(context.saved() == "");
        return {};
    }
    throw std::runtime_error("again");
  });
  const JobId id = add({.backoff = kNoWait});
  BOOST_TEST(drain() == 3u);
  BOOST_CHECK(queue.saved(id) == "");
}

BOOST_FIXTURE_TEST_CASE(what_is_saved_is_durable_when_save_returns, Workshop) {
  Signal saved;
  Signal go_on;
  handle("work", [&](const Payload&, Context& context) {
    context.save("half way");
    saved.give();
    go_on.take();
    return Payload{};
  });
  const JobId id = add();
  start();
  saved.take();
  BOOST_CHECK(queue.saved(id) == "half way");
  go_on.give();
  end(id);
}

BOOST_AUTO_TEST_CASE(saving_too_much_is_refused_and_keeps_what_was_saved) {
  Workshop shop(OpenOptions{.max_blob_bytes = 100});
  std::string message;
  shop.handle("work", [&](const Payload&, Context& context) {
    context.save(std::string(100, 'x'));
    message = message_of<InvalidArgument>([&] { context.save(std::string(101, 'y')); });
    return Payload{};
  });
  const JobId id = shop.add();
  shop.drain();
  BOOST_TEST(shop.end(id).state == State::succeeded);
  BOOST_TEST(message.find("101") != message.npos, message);
  BOOST_CHECK(shop.queue.saved(id) == std::string(100, 'x'));
}

// --- follow-ups ---

BOOST_FIXTURE_TEST_CASE(follow_ups_are_added_with_the_success_in_one_commit, Workshop) {
  Signal enqueued;
  Signal go_on;
  handle("work", [&](const Payload&, Context& context) {
    context.enqueue("next", {"raw", "small"}, {.priority = 3});
    context.enqueue("next", {"raw", std::string(200'000, 'n')});
    context.enqueue(Command{.argv = {"true"}, .cwd = "/"}, {.queue = "commands"});
    enqueued.give();
    go_on.take();
    return Payload{};
  });
  const JobId id = add();
  start();
  enqueued.take();
  BOOST_TEST(queue.list().size() == 1u);  // not yet
  go_on.give();
  end(id);
  const auto jobs = queue.list();
  BOOST_REQUIRE(jobs.size() == 4u);
  BOOST_TEST(jobs[0].task == "exec");
  BOOST_TEST(jobs[0].queue == "commands");
  BOOST_TEST(queue.payload(jobs[1].id)->bytes.size() == 200'000u);
  BOOST_TEST(jobs[2].priority == 3);
  // Nothing of another transaction lies between: the same numbers in a row, at the same time.
  const auto success = event(id, EventType::succeeded);
  const auto added = queue.events({.after = success.seq, .types = {EventType::enqueued}});
  BOOST_REQUIRE(added.size() == 3u);
  BOOST_TEST(added.back().seq <= success.seq + 4);  // with the one that the new queue has
  for (const Event& event : added) BOOST_CHECK(event.time == success.time);
}

BOOST_FIXTURE_TEST_CASE(follow_ups_of_an_attempt_that_does_not_succeed_are_never_added, Workshop) {
  handle("work", [&](const Payload& payload, Context& context) -> Payload {
    context.enqueue("next", {"raw", std::string(100'000, 'x')});
    if (payload.bytes == "throw") throw std::runtime_error("no");
    if (payload.bytes == "cancel") throw Verdict::cancel("no");
    if (payload.bytes == "snooze") throw Verdict::snooze(1h);
    until_asked_to_stop(context);
    return {};
  });
  add({.max_retries = 0}, "throw");
  add({}, "cancel");
  add({}, "snooze");
  add({.max_retries = 0, .timeout = 10ms}, "time out");
  BOOST_TEST(drain() == 4u);
  BOOST_TEST(queue.list({.task = "next"}).empty());
}

BOOST_FIXTURE_TEST_CASE(a_follow_up_that_makes_no_sense_is_refused_at_once, Workshop) {
  handle("work", [&](const Payload&, Context& context) {
    BOOST_CHECK_THROW(context.enqueue("", {}), InvalidArgument);
    BOOST_CHECK_THROW(context.enqueue("next", {}, {.delay = -1s}), InvalidArgument);
    BOOST_CHECK_THROW(context.enqueue(Command{}), InvalidArgument);
    return Payload{};
  });
  const JobId id = add();
  drain();
  BOOST_TEST(end(id).state == State::succeeded);
  BOOST_TEST(queue.list().size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(follow_ups_that_do_not_fit_make_the_success_a_failure, Workshop) {
  handle("work", [&](const Payload&, Context& context) {
    for (int i = 0; i < 3; ++i) context.enqueue("next", {}, {.queue = "small"});
    return Payload{};
  });
  queue.configure("small", {.max_size = 2});
  const JobId id = add({.max_retries = 0});
  const JobId other = queue.enqueue("play", {});  // in the same transaction: not to be lost
  handle("play", [](const Payload&, Context&) { return Payload{}; });
  drain({.concurrency = 2});
  BOOST_TEST(info(id).state == State::failed);
  BOOST_TEST(info(id).error.find("small") != std::string::npos, info(id).error);
  BOOST_TEST(queue.list({.task = "next"}).empty());
  BOOST_TEST(end(other).state == State::succeeded);
}

BOOST_FIXTURE_TEST_CASE(a_job_may_enqueue_itself_again_and_a_draining_worker_runs_that_too, Workshop) {
  handle("work", [&](const Payload& payload, Context& context) {
    const int left = std::stoi(payload.bytes);
    if (left > 0) context.enqueue("work", {"raw", std::to_string(left - 1)});
    return Payload{};
  });
  add({}, "9");
  BOOST_TEST(drain() == 10u);
}

struct Next {
  static constexpr std::string_view kTask = "next";
  int number = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(number));
  }
};

BOOST_FIXTURE_TEST_CASE(a_follow_up_may_be_typed, Workshop) {
  handle("work", [&](const Payload&, Context& context) {
    context.enqueue(Next{7});
    return Payload{};
  });
  add();
  drain();
  const auto added = queue.list({.task = "next"});
  BOOST_REQUIRE(added.size() == 1u);
  BOOST_TEST(decode<Next>(queue.payload(added[0].id).value()).number == 7);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
