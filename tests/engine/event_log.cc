#include "world.hpp"

namespace tq::engine {
namespace {

std::string numbers(const std::vector<Event>& events) {
  std::vector<JobId> seqs;
  for (const Event& event : events) seqs.push_back(event.seq);
  return ids(seqs);
}

BOOST_FIXTURE_TEST_SUITE(event_log, World)

BOOST_AUTO_TEST_CASE(every_change_is_one_line_of_the_log) {
  const WorkerId w = worker();
  finish(start(w, {.queue = "q"}), failed("boom"));
  const std::vector<Event> events = this->events();
  BOOST_TEST(types(events) == "worker_started queue_created enqueued started retrying");
  BOOST_TEST(events[0].worker == w);
  BOOST_TEST(events[0].job == 0u);
  BOOST_TEST(events[1].queue == "q");
  BOOST_TEST(events[1].job == 0u);
  BOOST_TEST(events[2].job == 1u);
  BOOST_TEST(events[2].worker == 0u);
  BOOST_TEST(events[2].attempt == 0u);
  BOOST_TEST(events[3].worker == w);
  BOOST_TEST(events[3].attempt == 1u);
  BOOST_TEST(events[4].text == "boom");
  BOOST_TEST(events[4].attempt == 1u);
  BOOST_TEST(events[4].queue == "q");
  BOOST_TEST((events[4].time == kStart));
  BOOST_TEST(numbers(events) == "1 2 3 4 5");
}

BOOST_AUTO_TEST_CASE(events_are_read_on_after_the_last_one_seen) {
  add_many(5);  // 2 to 6
  BOOST_TEST(numbers(events({.after = 4})) == "5 6");
  BOOST_TEST(numbers(events({.after = 6})).empty());
  BOOST_TEST(numbers(events({.after = UINT64_MAX})).empty());
  BOOST_TEST(numbers(events({.after = 1, .limit = 2})) == "2 3");
  BOOST_TEST(numbers(events({.limit = 0})).empty());
}

BOOST_AUTO_TEST_CASE(events_are_chosen_by_type) {
  const WorkerId w = worker();
  add_many(2);
  claim(w, 1);
  BOOST_TEST(types(events({.types = {EventType::started, EventType::worker_started}})) == "worker_started started");
  BOOST_TEST(events({.types = {EventType::crashed}}).empty());
  BOOST_TEST(types(events({.job = 1, .types = {EventType::started}})) == "started");
  BOOST_TEST(types(events({.types = {EventType::enqueued}, .limit = 1})) == "enqueued");
}

BOOST_AUTO_TEST_CASE(events_are_chosen_by_time) {
  add();
  clock.advance(1s);
  add();
  BOOST_TEST(numbers(events({.since = kStart + 1s})) == "3");
  BOOST_TEST(numbers(events({.since = kStart + 1ms})) == "3");
  BOOST_TEST(numbers(events({.since = kStart})) == "1 2 3");
  BOOST_TEST(numbers(events({.since = kStart + 2s})).empty());
  BOOST_TEST(numbers(events({.since = kStart + 1s, .job = 1})).empty());
  BOOST_TEST(numbers(events({.since = kStart + 1s, .job = 2})) == "3");
}

BOOST_AUTO_TEST_CASE(the_events_of_one_job_are_found_among_those_of_many) {
  const WorkerId w = worker();
  const Claimed job = start(w, {.priority = 1});
  add_many(100);
  finish(job, failed());
  add_many(100);
  clock.advance(1h);
  fire_due();
  BOOST_TEST(history(1) == "enqueued started retrying due");
  BOOST_TEST(types(events({.job = 1, .limit = 2})) == "enqueued started");
  BOOST_TEST(types(events({.after = 4, .job = 1})) == "retrying due");
  BOOST_TEST(events({.after = stats().last_event, .job = 1}).empty());
  BOOST_TEST(history(999).empty());
}

BOOST_AUTO_TEST_CASE(the_events_of_a_removed_job_are_still_there) {
  const WorkerId w = worker();
  finish(start(w), succeeded());
  start(w);
  remove(1);
  BOOST_TEST(history(1) == "enqueued started succeeded removed");
  BOOST_TEST(types(events({.job = 1, .limit = 1})) == "enqueued");
}

BOOST_AUTO_TEST_CASE(the_events_of_a_job_whose_first_ones_are_gone_begin_later) {
  retention.events = 1h;
  const WorkerId w = worker();
  const Claimed job = start(w);
  clock.advance(1h + 1ms);
  collect();
  finish(job, failed());
  BOOST_TEST(history(1) == "retrying");
  BOOST_TEST(numbers(events()) == "5");
}

BOOST_AUTO_TEST_CASE(a_long_log_is_cut_in_small_bites) {
  retention.events = 0s;
  add_many(25);
  clock.advance(1ms);
  std::size_t turns = 0;
  while (collect(10).more) ++turns;
  BOOST_TEST(turns == 2u);
  BOOST_TEST(events().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
