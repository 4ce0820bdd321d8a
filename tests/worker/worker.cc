#include "worker/workshop.hpp"

#include "support/message_of.hpp"

#include <tq/typed.hpp>

namespace tq {
namespace {

using test::message_of;
using test::Signal;
using test::until_asked_to_stop;
using test::Workshop;
using namespace std::chrono_literals;

Payload nothing(const Payload&, Context&) { return {}; }

BOOST_AUTO_TEST_SUITE(worker)

BOOST_FIXTURE_TEST_CASE(options_that_make_no_sense_are_refused_by_name, Workshop) {
  const std::vector<std::pair<std::string, WorkerOptions>> wrong = {
      {"concurrency", {.concurrency = 0}},
      {"concurrency", {.concurrency = 1025}},
      {"max_crashes", {.max_crashes = 0}},
      {"shutdown_grace", {.shutdown_grace = -1ms}},
      {"kill_grace", {.kill_grace = kMaxDuration + 1ms}},
      {"queue", {.queues = {""}}},
  };
  for (const auto& [word, options] : wrong) {
    const std::string message = message_of<InvalidArgument>([&] { Worker(queue, options); });
    BOOST_TEST(message.find(word) != message.npos, "'" << message << "' does not name " << word);
  }
}

BOOST_FIXTURE_TEST_CASE(a_task_has_one_handler, Workshop) {
  Worker worker(queue, {.commands = true});
  worker.handle("work", nothing);
  const std::string message = message_of<Conflict>([&] { worker.handle("work", nothing); });
  BOOST_TEST(message.find("work") != message.npos, message);
  BOOST_CHECK_THROW(worker.handle(kExecTask, nothing), Conflict);  // commands are run already
  BOOST_CHECK_THROW(worker.handle("", nothing), InvalidArgument);
}

BOOST_FIXTURE_TEST_CASE(run_returns_how_many_attempts_it_ran, Workshop) {
  handle("work", nothing);
  BOOST_TEST(drain() == 0u);
  for (int i = 0; i < 7; ++i) add();
  BOOST_TEST(drain() == 7u);
}

BOOST_FIXTURE_TEST_CASE(a_worker_may_run_again, Workshop) {
  const auto worker = (handle("work", nothing), make({.drain = true}));
  add();
  BOOST_TEST(worker->run() == 1u);
  add();
  worker->start();
  BOOST_TEST(worker->join() == 1u);
  BOOST_TEST(worker->join() == 0u);
}

BOOST_FIXTURE_TEST_CASE(joining_what_was_never_started_does_nothing, Workshop) { BOOST_TEST(make()->join() == 0u); }

BOOST_FIXTURE_TEST_CASE(a_stop_that_comes_before_the_run_is_not_lost, Workshop) {
  handle("work", nothing);
  const JobId id = add();
  const auto worker = make();
  worker->stop();
  worker->run();
  BOOST_TEST(info(id).state == State::ready);
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_is_destroyed_stops_at_once, Workshop) {
  Signal running;
  handle("work", [&](const Payload&, Context& context) -> Payload {
    running.give();
    until_asked_to_stop(context);
    throw std::runtime_error("stopped");
  });
  const JobId id = add();
  {
    const auto worker = make();
    worker->start();
    running.take();
  }
  BOOST_TEST(info(id).state == State::ready);
  BOOST_TEST(history(id) == "enqueued started interrupted");
}

BOOST_FIXTURE_TEST_CASE(a_worker_is_registered_while_it_runs, Workshop) {
  Signal running;
  handle("b", nothing);
  handle("work", [&](const Payload&, Context& context) {
    running.give();
    until_asked_to_stop(context);
    return Payload{};
  });
  add({.queue = "q1"});
  Worker& worker = start({.queues = {"q1", "q2"}, .concurrency = 5, .commands = true});
  running.take();
  const auto workers = queue.workers();
  BOOST_REQUIRE(workers.size() == 1u);
  BOOST_TEST(workers[0].id == worker.id());
  BOOST_TEST(workers[0].pid == ::getpid());
  BOOST_TEST(workers[0].host != "");
  BOOST_TEST(workers[0].concurrency == 5u);
  BOOST_CHECK((workers[0].queues == std::vector<std::string>{"q1", "q2"}));
  BOOST_CHECK((workers[0].tasks == std::vector<std::string>{"b", "work", "exec"}));
  BOOST_TEST(workers[0].alive);
  BOOST_TEST(!workers[0].stopping);
  worker.stop(true);
  worker.join();
  BOOST_TEST(worker.id() == 0u);
  BOOST_TEST(queue.workers().empty());
  BOOST_TEST(queue.events({.types = {EventType::worker_started}}).size() == 1u);
  BOOST_TEST(queue.events({.types = {EventType::worker_stopped}}).size() == 1u);
}

struct Resize {
  static constexpr std::string_view kTask = "resize";
  std::string path;
  int width = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(path), CEREAL_NVP(width));
  }
};

struct Size {
  static constexpr std::string_view kCodec = "json";
  int width = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(width));
  }
};

BOOST_FIXTURE_TEST_CASE(a_typed_handler_takes_and_returns_values, Workshop) {
  const auto worker = make({.drain = true});
  worker->handle<Resize>([](const Resize& job, Context& context) {
    context.log(job.path);
    return Size{job.width * 2};
  });
  const JobId id = queue.enqueue(Resize{"a.png", 320});
  worker->run();
  const Result result = end(id);
  BOOST_TEST(result.value.codec == "json");
  BOOST_TEST(decode<Size>(result.value).width == 640);
  BOOST_TEST(output(id) == "a.png\n");
}

BOOST_FIXTURE_TEST_CASE(a_typed_handler_may_return_text_or_nothing, Workshop) {
  for (const bool text : {true, false}) {
    const auto worker = make({.drain = true});
    if (text) worker->handle<Resize>([](const Resize& job) { return job.path; });
    if (!text) worker->handle<Resize>([](const Resize&) {});
    const JobId id = queue.enqueue(Resize{"a.png", 1});
    worker->run();
    BOOST_TEST(end(id).value.bytes == (text ? "a.png" : ""));
  }
}

BOOST_FIXTURE_TEST_CASE(a_payload_that_does_not_decode_is_failed_for_good, Workshop) {
  const auto worker = make({.drain = true});
  worker->handle<Resize>([](const Resize&) {});
  const JobId garbage = queue.enqueue("resize", {"cereal", "?"});
  const JobId other = queue.enqueue("resize", {"raw", "a.png"});
  worker->run();
  for (const JobId id : {garbage, other}) {
    BOOST_TEST(info(id).state == State::failed);
    BOOST_TEST(info(id).attempt == 1u);
    BOOST_TEST(info(id).error.find("payload") != std::string::npos, info(id).error);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
