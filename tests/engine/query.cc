#include "engine/query.hpp"

#include "world.hpp"

namespace tq::engine {
namespace {

BOOST_FIXTURE_TEST_SUITE(query, World)

BOOST_AUTO_TEST_CASE(a_result_is_there_only_when_the_job_is_final) {
  const WorkerId w = worker();
  const JobId id = add({.max_retries = 1});
  BOOST_TEST(!result(id).has_value());
  Claimed job = claim_one(w);
  BOOST_TEST(!result(id).has_value());
  finish(job, failed());
  BOOST_TEST(!result(id).has_value());
  retry(id);
  finish(claim_one(w), failed("again"));
  BOOST_TEST(result(id)->state == State::failed);
  BOOST_TEST(result(id)->error == "again");
  BOOST_CHECK_THROW(result(id + 1), NotFound);
}

BOOST_AUTO_TEST_CASE(a_result_of_each_end_says_which_it_was) {
  const WorkerId w = worker();
  finish(start(w), succeeded("bytes", "json"));
  finish(start(w), failed_for_good("boom"));
  finish(start(w), cancelled("enough"));
  add({.expires_in = 1ms});
  clock.advance(1ms);
  fire_due();
  BOOST_TEST(result(1)->value.codec == "json");
  BOOST_TEST(result(2)->error == "boom");
  BOOST_TEST(result(3)->error == "enough");
  BOOST_TEST(result(4)->state == State::expired);
  for (const JobId id : {2u, 3u, 4u}) BOOST_TEST((result(id)->value == Payload{}));
  for (const JobId id : {1u, 2u, 3u, 4u}) BOOST_TEST(!result(id)->exit_code.has_value());
}

BOOST_AUTO_TEST_CASE(queues_are_listed_by_name_with_their_counters) {
  const WorkerId w = worker();
  add({.queue = "b"});
  add({.queue = "c"});
  add({.queue = "a"});
  add({.queue = "a"});
  claim(w, 1, {"a"});
  configure("a", {.max_size = 9});
  pause("b");
  const std::vector<QueueInfo> queues = engine::queues(read());
  BOOST_TEST_REQUIRE(queues.size() == 3u);
  BOOST_TEST(queues[0].name == "a");
  BOOST_TEST(queues[1].name == "b");
  BOOST_TEST(queues[2].name == "c");
  BOOST_TEST(queues[0].settings.max_size == 9u);
  BOOST_TEST(!queues[0].paused);
  BOOST_TEST(queues[1].paused);
  BOOST_TEST(queues[0][State::ready] == 1u);
  BOOST_TEST(queues[0][State::running] == 1u);
  BOOST_TEST(queues[0].waiting() == 1u);
  BOOST_TEST(queues[0].unfinished() == 2u);
  BOOST_TEST(!engine::queue(read(), "d").has_value());
}

BOOST_AUTO_TEST_CASE(the_counters_of_the_store_count_what_ever_happened) {
  const WorkerId w = worker();
  finish(start(w, {.queue = "a"}), succeeded());
  finish(start(w), failed());
  retry(2);
  finish(claim_one(w), failed_for_good());
  retry(2);
  finish(claim_one(w), succeeded());
  cancel(add());
  remove(1);
  start(w);
  rescue(w);
  const Stats stats = this->stats();
  BOOST_TEST(stats.enqueued == 4u);
  BOOST_TEST(stats.attempts == 5u);
  BOOST_TEST(stats.succeeded == 2u);
  BOOST_TEST(stats.failed == 1u);
  BOOST_TEST(stats.cancelled == 1u);
  BOOST_TEST(stats.expired == 0u);
  BOOST_TEST(stats.crashes == 1u);
  BOOST_TEST(stats.queues == 2u);
  BOOST_TEST(stats.last_event == events().back().seq);
  BOOST_TEST(stats.count[static_cast<std::size_t>(State::succeeded)] == 1u);
  BOOST_TEST(stats.count[static_cast<std::size_t>(State::ready)] == 1u);
  BOOST_TEST(stats.count[static_cast<std::size_t>(State::cancelled)] == 1u);
}

BOOST_AUTO_TEST_CASE(an_empty_store_has_nothing_in_it) {
  BOOST_TEST(engine::queues(read()).empty());
  BOOST_TEST(events().empty());
  BOOST_TEST(stats().enqueued == 0u);
  BOOST_TEST(stats().last_event == 0u);
  BOOST_TEST(!job_info(read(), 0).has_value());
  BOOST_TEST(!job_info(read(), UINT64_MAX).has_value());
}

BOOST_AUTO_TEST_CASE(a_reader_sees_one_state) {
  const auto before = read();
  const JobId id = add();
  BOOST_TEST(!job_info(before, id).has_value());
  BOOST_TEST(engine::stats(before).enqueued == 0u);
  BOOST_TEST(job_info(read(), id).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
