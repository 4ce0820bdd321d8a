#include "engine/due.hpp"

#include "world.hpp"

namespace tq::engine {
namespace {

BOOST_FIXTURE_TEST_SUITE(due, World)

BOOST_AUTO_TEST_CASE(a_scheduled_job_becomes_ready_at_its_time_and_not_before) {
  const JobId id = add({.delay = 10s});
  clock.advance(10s - 1ms);
  BOOST_TEST(fire_due() == 0u);
  BOOST_TEST(!changed);
  clock.advance(1ms);
  BOOST_TEST(fire_due() == 1u);
  BOOST_TEST(state(id) == State::ready);
  BOOST_TEST(touched.queues.size() == 1u);
  BOOST_TEST(history(id) == "enqueued due");
  BOOST_TEST(fire_due() == 0u);
}

BOOST_AUTO_TEST_CASE(so_many_at_a_time_the_oldest_first) {
  add_many(3, {.delay = 3s});
  add_many(3, {.delay = 1s});
  clock.advance(1h);
  BOOST_TEST(fire_due(4) == 4u);
  for (const JobId id : {4u, 5u, 6u, 1u}) BOOST_TEST(state(id) == State::ready);
  for (const JobId id : {2u, 3u}) BOOST_TEST(state(id) == State::scheduled);
  BOOST_TEST(fire_due(4) == 2u);
  BOOST_TEST(fire_due(4) == 0u);
}

BOOST_AUTO_TEST_CASE(the_next_time_is_that_of_the_first_job_due_or_the_first_deadline) {
  BOOST_TEST(!next_due(read()).has_value());
  add();
  BOOST_TEST(!next_due(read()).has_value());
  add({.delay = 1h});
  BOOST_TEST((next_due(read()) == kStart + 1h));
  add({.expires_in = 30min});
  BOOST_TEST((next_due(read()) == kStart + 30min));
  add({.delay = 10min});
  BOOST_TEST((next_due(read()) == kStart + 10min));
  clock.advance(24h);
  fire_due();
  BOOST_TEST(!next_due(read()).has_value());
}

BOOST_AUTO_TEST_CASE(a_job_whose_start_deadline_has_passed_becomes_expired_in_any_state_before_its_start) {
  add({.expires_in = 10s});
  add({.delay = 1h, .expires_in = 10s});
  add({.delay = 10s, .expires_in = 10s});
  add({.expires_in = 10s + 1ms});
  clock.advance(10s - 1ms);
  BOOST_TEST(fire_due() == 0u);
  clock.advance(1ms);
  BOOST_TEST(fire_due() == 3u);
  for (const JobId id : {1u, 2u, 3u}) {
    BOOST_TEST(state(id) == State::expired);
    BOOST_TEST(history(id) == "enqueued expired");
  }
  BOOST_TEST(state(4) == State::ready);
  BOOST_TEST(claim(worker(), 10).size() == 1u);
  BOOST_TEST(stats().expired == 3u);
  BOOST_TEST(touched.finals == false);
}

BOOST_AUTO_TEST_CASE(only_so_many_expire_at_a_time) {
  add_many(5, {.expires_in = 1s});
  clock.advance(1s);
  BOOST_TEST(fire_due(2) == 2u);
  BOOST_TEST(queue()[State::expired] == 2u);
  BOOST_TEST(touched.finals);
  BOOST_TEST(fire_due(2) == 2u);
  BOOST_TEST(fire_due(2) == 1u);
}

BOOST_AUTO_TEST_CASE(a_running_job_does_not_expire) {
  const WorkerId w = worker();
  const Claimed job = start(w, {.expires_in = 1s});
  BOOST_TEST(!next_due(read()).has_value());
  clock.advance(1h);
  BOOST_TEST(fire_due() == 0u);
  finish(job, failed());
  clock.advance(1h);
  fire_due();
  BOOST_TEST(state(job.id) == State::ready);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(retention_, World)

BOOST_AUTO_TEST_CASE(final_jobs_are_kept_as_long_as_their_kind_is) {
  retention = {.succeeded = 1h, .failed = 2h};
  const WorkerId w = worker();
  finish(start(w), succeeded());
  finish(start(w), failed_for_good());
  cancel(add());
  add({.expires_in = 1ms});
  clock.advance(1ms);
  fire_due();
  BOOST_TEST((next_keep(read()) == kStart + 1h));
  clock.set(kStart + 1h - 1ms);
  BOOST_TEST(collect().jobs == 0u);
  clock.set(kStart + 1h);
  BOOST_TEST(collect().jobs == 1u);
  BOOST_TEST(!exists(1));
  clock.set(kStart + 2h);
  BOOST_TEST(collect().jobs == 2u);
  BOOST_TEST(!exists(2));
  BOOST_TEST(!exists(3));
  clock.advance(1ms);
  BOOST_TEST(collect().jobs == 1u);
  BOOST_TEST(!exists(4));
  BOOST_TEST(!next_keep(read()).has_value());
}

BOOST_AUTO_TEST_CASE(a_job_may_say_how_long_it_is_kept) {
  const WorkerId w = worker();
  finish(start(w, {.result_ttl = 0ms}), succeeded());
  finish(start(w, {.result_ttl = 1000h}), succeeded());
  BOOST_TEST(collect().jobs == 1u);
  BOOST_TEST(!exists(1));
  clock.advance(999h);
  BOOST_TEST(collect().jobs == 0u);
  clock.advance(1h);
  BOOST_TEST(collect().jobs == 1u);
}

BOOST_AUTO_TEST_CASE(only_so_many_are_removed_at_a_time) {
  retention = {.succeeded = 0s};
  const WorkerId w = worker();
  add_many(5);
  for (const Claimed& job : claim(w, 5)) finish(job, succeeded());
  Collected collected = collect(2);
  BOOST_TEST(collected.jobs == 2u);
  BOOST_TEST(collected.more);
  collect(2);
  collected = collect(2);
  BOOST_TEST(collected.jobs == 1u);
  BOOST_TEST(!collected.more);
  BOOST_TEST(list().empty());
}

BOOST_AUTO_TEST_CASE(what_is_not_final_is_never_removed) {
  retention = {.succeeded = 0s, .failed = 0s};
  const WorkerId w = worker();
  start(w);
  add();
  add({.delay = 1000h});
  const Claimed job = start(w, {.priority = 1});
  finish(job, failed());
  clock.advance(100h);
  BOOST_TEST(collect().jobs == 0u);
  BOOST_TEST(list().size() == 4u);
}

BOOST_AUTO_TEST_CASE(events_are_kept_as_long_as_asked) {
  retention.events = 1h;
  add();
  clock.advance(30min);
  add();
  clock.advance(30min);
  BOOST_TEST(!collect().more);
  BOOST_TEST(types(events()) == "queue_created enqueued enqueued");
  clock.advance(1ms);
  BOOST_TEST(collect(1).more);
  collect(1);
  BOOST_TEST(types(events()) == "enqueued");
  BOOST_TEST(events().at(0).seq == 3u);
  BOOST_TEST(history(1).empty());
  BOOST_TEST(history(2) == "enqueued");
  clock.advance(1h);
  collect();
  BOOST_TEST(events().empty());
  BOOST_TEST(stats().last_event == 3u);
  add();
  BOOST_TEST(history(3) == "enqueued");
  BOOST_TEST(events().at(0).seq == 4u);
}

BOOST_AUTO_TEST_CASE(for_ever_is_a_retention_too) {
  retention = {.succeeded = Duration::max(), .failed = Duration::max(), .events = Duration::max()};
  const WorkerId w = worker();
  finish(start(w), succeeded());
  finish(start(w), failed_for_good());
  clock.advance(24h * 365 * 100);
  BOOST_TEST(collect().jobs == 0u);
  BOOST_TEST(history(1) == "enqueued started succeeded");
}

BOOST_AUTO_TEST_CASE(a_removed_job_takes_all_that_is_its_own_with_it) {
  retention.failed = 0s;
  const WorkerId w = worker();
  const Claimed job = start(w, {.labels = {"x"}}, std::string(20'000, 'p'));
  write(job, std::string(50'000, 'o'));
  change([&](Ledger& ledger) { save_state(ledger, key(job), {*environment, std::string(20'000, 's')}); });
  finish(job, failed_for_good());
  collect();
  BOOST_TEST(!exists(job.id));
  BOOST_TEST(!saved_state(read(), job.id).has_value());
  BOOST_TEST(engine::output(read(), {}, job.id, 0, 1 << 20).empty());
  BOOST_TEST(history(job.id) == "enqueued started failed removed");
  BOOST_TEST(touched.finals);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
