#include "engine/rebuild.hpp"

#include "full_world.hpp"
#include "store/making.hpp"

#include <functional>

namespace tq::engine {
namespace {

model::JobRecord job_in(State state, std::uint32_t queue = 1) {
  model::JobRecord record;
  record.header.state = state;
  record.header.queue = queue;
  record.header.task = 1;
  if (is_final(state)) record.header.finished_ms = record.header.keep_until_ms = 5;
  if (state == State::running) {
    record.header.worker = record.header.run = record.header.attempt = 1;
  }
  return record;
}

struct RebuildTest : InDirectory {
  const std::string path = dir / "jobs.tq";

  // A store that is made so, which is checked when it goes.
  std::unique_ptr<World> make(const std::function<void(Rebuild&)>& fill, const model::Totals& least = {}) const {
    store::make_store(path, [&](store::Environment& made) {
      Rebuild rebuild(made);
      rebuild.add_queue(1, {.name = "default"});
      rebuild.add_task(1, "work");
      fill(rebuild);
      rebuild.finish(least);
    });
    return std::make_unique<World>(path);
  }
};

BOOST_FIXTURE_TEST_SUITE(rebuild_, RebuildTest)

BOOST_AUTO_TEST_CASE(counters_of_queues_follow_from_the_jobs) {
  const auto world = make([](Rebuild& rebuild) {
    rebuild.add_queue(2, {.name = "other", .paused = true, .max_size = 9, .count = {7, 7, 7}});
    rebuild.add_worker(1, {});
    JobId id = 0;
    for (const State state : {State::ready, State::ready, State::running, State::scheduled, State::retrying,
                              State::succeeded, State::failed, State::cancelled, State::expired}) {
      rebuild.add_job(++id, job_in(state));
    }
    rebuild.add_job(++id, job_in(State::ready, 2));
  });
  BOOST_TEST(world->queue()[State::ready] == 2u);
  BOOST_TEST(world->queue()[State::running] == 1u);
  BOOST_TEST(world->queue()[State::expired] == 1u);
  BOOST_TEST(world->queue("other")[State::ready] == 1u);
  BOOST_TEST(world->queue("other")[State::scheduled] == 0u);
  BOOST_TEST(world->queue("other").paused);
  BOOST_TEST(world->queue("other").settings.max_size == 9u);
}

BOOST_AUTO_TEST_CASE(index_entries_follow_from_the_jobs) {
  const auto world = make([](Rebuild& rebuild) {
    model::JobRecord job = job_in(State::ready);
    job.header.priority = -1;
    rebuild.add_job(1, job);
    rebuild.add_job(2, job_in(State::ready));
    job = job_in(State::scheduled);
    job.header.due_ms = 5;
    job.header.expires_ms = 6;
    rebuild.add_job(3, job);
  });
  BOOST_TEST(store::count_records(world->read(), Tree::index) == 4u);
  const WorkerId w = world->worker();
  BOOST_TEST(ids(world->claim(w, 3)) == "2 1");
  world->clock.set(Time(Duration(7)));
  world->fire_due();
  BOOST_TEST(world->state(3) == State::expired);
}

BOOST_AUTO_TEST_CASE(the_next_numbers_are_above_all_that_are_there) {
  const auto world = make([](Rebuild& rebuild) {
    rebuild.add_queue(8, {.name = "other"});
    rebuild.add_task(6, "play");
    rebuild.add_worker(4, {});
    rebuild.add_job(11, job_in(State::ready));
    BOOST_TEST(rebuild.next_job() == 12u);
    rebuild.add_event(20, {.type = EventType::enqueued});
    rebuild.add_event(21, {.type = EventType::enqueued});
  });
  const model::Totals now = totals(world->read());
  BOOST_TEST(now.next_job == 12u);
  BOOST_TEST(now.next_queue == 9u);
  BOOST_TEST(now.next_task == 7u);
  BOOST_TEST(now.next_worker == 5u);
  BOOST_TEST(now.next_event == 22u);
  BOOST_TEST(now.enqueued == 1u);
}

BOOST_AUTO_TEST_CASE(counters_that_are_known_are_kept_where_they_are_higher) {
  const model::Totals least{.next_job = 100, .next_event = 1, .enqueued = 50, .attempts = 7, .crashes = 3};
  const auto world = make([](Rebuild& rebuild) { rebuild.add_job(11, job_in(State::ready)); }, least);
  const model::Totals now = totals(world->read());
  BOOST_TEST(now.next_job == 100u);
  BOOST_TEST(now.enqueued == 50u);
  BOOST_TEST(now.attempts == 7u);
  BOOST_TEST(now.crashes == 3u);
}

BOOST_AUTO_TEST_CASE(a_job_names_a_worker_and_an_event_whose_numbers_are_not_given_out_again) {
  const auto world = make([](Rebuild& rebuild) {
    model::JobRecord job = job_in(State::succeeded);
    job.header.worker = 17;
    job.header.last_event = 30;
    rebuild.add_job(1, job);
  });
  BOOST_TEST(totals(world->read()).next_worker == 18u);
  BOOST_TEST(totals(world->read()).next_event == 31u);
}

BOOST_AUTO_TEST_CASE(the_catalogue_is_known_while_it_is_filled) {
  const auto world = make([](Rebuild& rebuild) {
    rebuild.add_worker(3, {});
    BOOST_TEST(rebuild.find_queue("default").value() == 1u);
    BOOST_TEST(!rebuild.find_queue("moon").has_value());
    BOOST_TEST(rebuild.find_task("work").value() == 1u);
    BOOST_TEST(!rebuild.find_task("moon").has_value());
    BOOST_TEST(rebuild.has_worker(3));
    BOOST_TEST(!rebuild.has_worker(4));
  });
  BOOST_TEST(find_queue(world->read(), "default").value() == 1u);
  BOOST_TEST(find_task(world->read(), "work").value() == 1u);
}

BOOST_AUTO_TEST_CASE(blobs_and_output_are_there) {
  const auto world = make([](Rebuild& rebuild) {
    for (JobId id = 1; id <= 3; ++id) {
      model::JobRecord job = job_in(State::ready);
      job.header.set(model::kPayloadIsBlob);
      job.header.log_bytes = job.header.log_head_bytes = 3;
      job.header.log_next = 2;
      rebuild.add_job(id, job);
      rebuild.add_blob(id, store::BlobKind::payload, std::string(id == 1 ? 1'000 : id == 2 ? 30'000 : 100'000, 'x'));
      rebuild.add_output(id, 1, {.attempt = 1, .stream = Stream::out, .bytes = "abc"});
    }
  });
  BOOST_TEST(world->payload(1).size() == 1'000u);
  BOOST_TEST(world->payload(2).size() == 30'000u);
  BOOST_TEST(world->payload(3).size() == 100'000u);
  BOOST_TEST(world->output(3).at(0).bytes == "abc");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
