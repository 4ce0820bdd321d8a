#include "worker/ahead.hpp"

#include "queue/actor.hpp"
#include "worker/workshop.hpp"

#include <atomic>
#include <csignal>

namespace tq::worker {
namespace {

using test::Actor;
using test::ids;
using test::Signal;
using test::Workshop;
using namespace std::chrono_literals;

engine::Claimed claimed(JobId id) {
  engine::Claimed job;
  job.id = id;
  return job;
}

BOOST_AUTO_TEST_SUITE(ahead)

BOOST_AUTO_TEST_CASE(nothing_is_wanted_until_it_is_known_how_long_attempts_take) {
  BOOST_TEST(Ahead(4).wanted(0) == 0u);
}

BOOST_AUTO_TEST_CASE(about_twenty_milliseconds_of_work_are_wanted) {
  Ahead ahead(2);
  ahead.ran(1000us);
  BOOST_TEST(ahead.wanted(0) == 40u);
  Ahead few(1);
  few.ran(5000us);
  BOOST_TEST(few.wanted(0) == 4u);
}

BOOST_AUTO_TEST_CASE(no_more_are_wanted_than_make_a_short_turn) {
  Ahead ahead(1000);
  ahead.ran(0us);
  BOOST_TEST(ahead.wanted(0) == 2000u);
  BOOST_TEST(ahead.wanted(400) == 1600u);  // those wait in the pool
  BOOST_TEST(ahead.wanted(1001) == 0u);
}

BOOST_AUTO_TEST_CASE(none_are_wanted_of_long_attempts) {
  Ahead ahead(8);
  ahead.ran(21ms);
  BOOST_TEST(ahead.wanted(0) == 0u);
}

BOOST_AUTO_TEST_CASE(the_newest_attempts_count_most) {
  Ahead ahead(1);
  ahead.ran(100us);
  for (int i = 0; i < 10; ++i) ahead.ran(100ms);
  BOOST_TEST(ahead.wanted(0) == 0u);
  for (int i = 0; i < 20; ++i) ahead.ran(100us);
  BOOST_TEST(ahead.wanted(0) > 0u);
}

BOOST_AUTO_TEST_CASE(more_are_wanted_only_when_half_of_them_are_gone) {
  Ahead ahead(1);
  ahead.ran(2000us);  // ten
  for (JobId id = 1; id <= 6; ++id) ahead.push(claimed(id));
  BOOST_TEST(ahead.wanted(0) == 0u);
  ahead.pop();
  BOOST_TEST(ahead.wanted(0) == 5u);
}

BOOST_AUTO_TEST_CASE(after_a_stall_none_are_wanted_until_attempts_are_short_again) {
  Ahead ahead(1);
  ahead.ran(100us);
  ahead.stalled();
  BOOST_TEST(ahead.wanted(0) == 0u);
  for (int i = 0; i < 20; ++i) ahead.ran(100us);
  BOOST_TEST(ahead.wanted(0) > 0u);
}

BOOST_AUTO_TEST_CASE(jobs_leave_in_the_order_in_which_they_came) {
  Ahead ahead(1);
  for (JobId id = 1; id <= 5; ++id) ahead.push(claimed(id));
  BOOST_TEST(ahead.pop().id == 1u);
  BOOST_TEST(ahead.take(3).id == 3u);
  std::vector<JobId> left;
  for (const engine::Claimed& job : ahead.take_all()) left.push_back(job.id);
  BOOST_TEST(ids(left) == "2 4 5");
  BOOST_TEST(ahead.empty());
}

// --- as a worker does it ---

class Shop : public Workshop {
 public:
  Shop() {
    handle("work", [this](const Payload& payload, Context&) {
      if (payload.bytes != "long") return payload;
      running.give();
      release.take();
      return payload;
    });
  }

  // Lets the worker see that attempts are short.
  void warm_up() {
    std::vector<JobId> jobs;
    for (int i = 0; i < 30; ++i) jobs.push_back(add());
    for (const JobId id : jobs) end(id);
  }
  // A long one with short ones behind it, added at once.
  std::vector<JobId> add_long_and_short(std::string_view task = "work") {
    std::vector<JobSpec> specs = {{std::string(task), {"raw", "long"}, {}}};
    for (int i = 0; i < 8; ++i) specs.push_back({"work", {}, {}});
    return queue.enqueue_many(specs);
  }

  Signal running;
  Signal release;
};

BOOST_FIXTURE_TEST_CASE(what_waits_behind_a_long_job_is_given_back_for_others, Shop) {
  start();
  warm_up();
  const auto jobs = add_long_and_short();
  running.take();
  start();
  for (std::size_t i = 1; i < jobs.size(); ++i) BOOST_TEST(end(jobs[i]).state == State::succeeded);
  BOOST_TEST(info(jobs[0]).state == State::running);
  release.give();
  end(jobs[0]);
  for (const JobId id : jobs) {
    BOOST_TEST(info(id).attempt == 1u);
    BOOST_TEST(history(id) == "enqueued started succeeded");
  }
}

BOOST_FIXTURE_TEST_CASE(what_has_not_begun_is_given_back_at_a_stop, Shop) {
  Worker& worker = start();
  warm_up();
  const auto jobs = add_long_and_short();
  running.take();
  worker.stop();
  for (EventSeq last = 0; info(jobs.back()).state != State::ready;) last = queue.wait_events(last, 10ms);
  release.give();
  worker.join();
  BOOST_TEST(info(jobs[0]).state == State::succeeded);
  for (std::size_t i = 1; i < jobs.size(); ++i) {
    BOOST_TEST(info(jobs[i]).state == State::ready);
    BOOST_TEST(history(jobs[i]) == "enqueued");  // as if it had never been claimed
  }
}

BOOST_FIXTURE_TEST_CASE(what_has_not_begun_can_be_cancelled_at_once, Shop) {
  start();
  warm_up();
  const auto jobs = add_long_and_short();
  running.take();
  for (std::size_t i = 1; i < jobs.size(); ++i) queue.cancel(jobs[i], "enough");
  for (std::size_t i = 1; i < jobs.size(); ++i) {
    BOOST_TEST(end(jobs[i]).state == State::cancelled);
    BOOST_TEST(end(jobs[i]).error == "enough");
    BOOST_TEST(info(jobs[i]).attempt == 0u);
  }
  release.give();
}

BOOST_FIXTURE_TEST_CASE(a_death_is_blamed_only_on_what_had_begun, Shop) {
  Actor victim(store.path(), "work", "1");
  warm_up();
  const auto jobs = add_long_and_short("hold");
  while (victim.line() != "running " + std::to_string(jobs[0])) continue;
  victim.kill(SIGKILL);
  BOOST_TEST(victim.wait() == 128 + SIGKILL);
  { const TaskQueue other(store.path()); }  // rescues
  BOOST_TEST(info(jobs[0]).crashes == 1u);
  BOOST_TEST(history(jobs[0]) == "enqueued started crashed");
  for (std::size_t i = 1; i < jobs.size(); ++i) {
    BOOST_TEST(info(jobs[i]).state == State::ready);
    BOOST_TEST(info(jobs[i]).crashes == 0u);
    BOOST_TEST(history(jobs[i]) == "enqueued");
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::worker
