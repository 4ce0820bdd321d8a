// What an attempt makes of its end: by itself, stopped, or both at once.
#include "worker/attempt.hpp"

#include "engine/output.hpp"
#include "queue/stores.hpp"

#include <optional>

namespace tq::worker {
namespace {

using engine::Outcome;
using namespace std::chrono_literals;

// An attempt that does what the test says.
class Puppet : public Attempt {
 public:
  Puppet(loop::EventLoop& loop, engine::Claimed claimed) : Attempt(loop, std::move(claimed), 3, 1000), loop_(loop) {}

  std::function<void()> on_start = [] {};
  std::function<void(int)> on_stop = [](int) {};
  std::function<void()> on_force = [] {};
  using Attempt::add_output;
  using Attempt::end;
  using Attempt::set_progress;

  std::optional<Time> began() const override { return Time(5ms); }
  std::chrono::microseconds ran_for() const override { return 0us; }

 private:
  void start() override {
    start_timeout();
    loop_.post(on_start);
  }
  void ask_to_stop(int signal) override { on_stop(signal); }
  void force() override { on_force(); }

  loop::EventLoop& loop_;
};

class Stage {
 public:
  // Runs the attempt to its end, and returns what it reported.
  Outcome run(Duration kill_grace = 1h) {
    AttemptEvents events;
    events.ended = [this](Outcome outcome, bool crashed) {
      ended = std::move(outcome);
      has_crashed = crashed;
      loop.stop();
    };
    events.has_news = [this] { ++news; };
    attempt->begin(std::move(events), kill_grace);
    loop.run();
    BOOST_REQUIRE(ended);
    Outcome outcome = std::move(*ended);
    ended.reset();
    return outcome;
  }
  static engine::Claimed job(Duration timeout = 0ms) {
    engine::Claimed claimed;
    claimed.id = 7;
    claimed.record.header.run = 2;
    claimed.record.header.timeout_ms = timeout.count();
    return claimed;
  }

  loop::EventLoop loop;
  std::unique_ptr<Puppet> attempt = std::make_unique<Puppet>(loop, job());
  std::optional<Outcome> ended;
  bool has_crashed = false;
  int news = 0;
};

Outcome failure(std::string error) { return {.kind = Outcome::Kind::failed, .error = std::move(error)}; }

BOOST_AUTO_TEST_SUITE(attempt)

BOOST_FIXTURE_TEST_CASE(it_is_told_by_job_run_and_worker, Stage) {
  BOOST_TEST(attempt->key().job == 7u);
  BOOST_TEST(attempt->key().run == 2u);
  BOOST_TEST(attempt->key().worker == 3u);
}

BOOST_FIXTURE_TEST_CASE(an_end_of_its_own_is_reported_as_it_is, Stage) {
  attempt->on_start = [&] { attempt->end(failure("no"), true); };
  const Outcome outcome = run();
  BOOST_CHECK(outcome.kind == Outcome::Kind::failed);
  BOOST_TEST(outcome.error == "no");
  BOOST_TEST(has_crashed);
  BOOST_CHECK(attempt->stop_reason() == Attempt::Stop::none);
}

BOOST_FIXTURE_TEST_CASE(when_it_began_is_asked_once_and_only_if_it_was_claimed_ahead, Stage) {
  BOOST_TEST(!attempt->take_begin());
  engine::Claimed ahead = job();
  ahead.record.header.set(model::kAhead);
  attempt = std::make_unique<Puppet>(loop, std::move(ahead));
  BOOST_CHECK(attempt->take_begin() == Time(5ms));
  BOOST_TEST(!attempt->take_begin());
}

BOOST_FIXTURE_TEST_CASE(a_time_out_asks_and_then_forces, Stage) {
  attempt = std::make_unique<Puppet>(loop, job(5ms));
  int signal = 0;
  attempt->on_stop = [&](int given) { signal = given; };
  attempt->on_force = [&] { attempt->end(failure("by force")); };
  const Outcome outcome = run(5ms);
  BOOST_TEST(signal == 15);
  BOOST_TEST(outcome.error == "timed out after 5ms (by force)");
}

BOOST_FIXTURE_TEST_CASE(a_success_that_comes_after_the_time_out_is_too_late, Stage) {
  attempt = std::make_unique<Puppet>(loop, job(5ms));
  attempt->on_stop = [&](int) { attempt->end({}); };
  const Outcome outcome = run();
  BOOST_CHECK(outcome.kind == Outcome::Kind::failed);
  BOOST_TEST(outcome.error == "timed out after 5ms");
}

BOOST_FIXTURE_TEST_CASE(an_end_in_time_cancels_the_time_out, Stage) {
  attempt = std::make_unique<Puppet>(loop, job(5ms));
  attempt->on_start = [&] { attempt->end({}); };
  BOOST_CHECK(run().kind == Outcome::Kind::succeeded);
}

BOOST_FIXTURE_TEST_CASE(the_first_reason_to_stop_counts, Stage) {
  int times = 0;
  attempt->on_stop = [&](int signal) {
    ++times;
    BOOST_TEST(signal == 2);
  };
  attempt->on_start = [&] {
    attempt->stop(Attempt::Stop::cancel, 2);
    attempt->stop(Attempt::Stop::shutdown);
    BOOST_CHECK(attempt->stop_reason() == Attempt::Stop::cancel);
    attempt->end(failure("stopped"));
  };
  const Outcome outcome = run();
  BOOST_TEST(times == 1);
  BOOST_TEST(outcome.error == "stopped");  // the store knows that it was cancelled
}

BOOST_FIXTURE_TEST_CASE(what_a_stopping_worker_cut_short_is_interrupted, Stage) {
  attempt->on_start = [&] { attempt->stop(Attempt::Stop::shutdown); };
  attempt->on_stop = [&](int) { attempt->end(failure("cut short")); };
  BOOST_CHECK(run().kind == Outcome::Kind::interrupted);
}

BOOST_FIXTURE_TEST_CASE(what_was_done_in_spite_of_a_stopping_worker_is_done, Stage) {
  attempt->on_start = [&] { attempt->stop(Attempt::Stop::shutdown); };
  attempt->on_stop = [&](int) { attempt->end({.result = {"raw", "done"}}); };
  const Outcome outcome = run();
  BOOST_CHECK(outcome.kind == Outcome::Kind::succeeded);
  BOOST_TEST(outcome.result.bytes == "done");
}

BOOST_FIXTURE_TEST_CASE(news_are_told_and_the_last_progress_wins, Stage) {
  attempt->on_start = [&] {
    attempt->add_output(Stream::out, "text");
    attempt->set_progress(0.1, "a");
    attempt->set_progress(0.2, "b");
    attempt->end({});
  };
  run();
  BOOST_TEST(news == 3);
  BOOST_TEST(attempt->output().take(attempt->key()).head.at(0).bytes == "text");
  const auto progress = attempt->take_progress();
  BOOST_REQUIRE(progress);
  BOOST_TEST(progress->fraction == 0.2);
  BOOST_TEST(progress->text == "b");
  BOOST_CHECK(!attempt->take_progress());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::worker
