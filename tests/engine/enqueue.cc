#include "world.hpp"

namespace tq::engine {
namespace {

BOOST_FIXTURE_TEST_SUITE(enqueue_, World)

BOOST_AUTO_TEST_CASE(enqueue_returns_a_new_id_and_the_job_is_ready) {
  const JobId first = add();
  const JobId second = add();
  BOOST_TEST(first == 1u);
  BOOST_TEST(second == 2u);
  BOOST_TEST(state(first) == State::ready);
  BOOST_TEST(history(first) == "enqueued");
  BOOST_TEST(queue()[State::ready] == 2u);
  BOOST_TEST(stats().enqueued == 2u);
}

BOOST_AUTO_TEST_CASE(an_unknown_id_is_different_from_not_ready_yet) {
  const JobId id = add({.delay = 1h});
  BOOST_TEST(!job_info(read(), id + 1).has_value());
  BOOST_TEST(!engine::payload(read(), id + 1).has_value());
  BOOST_CHECK_THROW(result(id + 1), NotFound);
  BOOST_TEST(!result(id).has_value());
}

BOOST_AUTO_TEST_CASE(a_payload_comes_back_byte_for_byte) {
  const std::string nuls("a\0b\0\xff", 5);
  const std::string largest_inline(model::kInlineBytes, 'i');
  const std::string smallest_blob(model::kInlineBytes + 1, 'b');
  const std::string large(100'000, '\0');
  for (const std::string& bytes : {std::string(), nuls, largest_inline, smallest_blob, large}) {
    const JobId id = add({}, "work", bytes);
    BOOST_TEST((payload(id) == bytes), bytes.size() << " bytes");
    BOOST_TEST(info(id).payload_bytes == bytes.size());
  }
}

BOOST_AUTO_TEST_CASE(only_a_payload_that_is_too_big_for_the_record_is_a_blob) {
  BOOST_TEST(!header(add({}, "work", std::string(model::kInlineBytes, 'x'))).has(model::kPayloadIsBlob));
  BOOST_TEST(header(add({}, "work", std::string(model::kInlineBytes + 1, 'x'))).has(model::kPayloadIsBlob));
}

BOOST_AUTO_TEST_CASE(a_job_knows_its_options) {
  const JobId id = add({.queue = "images",
                        .priority = -7,
                        .delay = 10s,
                        .max_retries = 5,
                        .backoff = {.kind = Backoff::Kind::constant, .base = 2s, .cap = 4s, .jitter = 0.25},
                        .timeout = 3s,
                        .expires_in = 1h,
                        .result_ttl = 2h,
                        .labels = {"a", "b"}},
                       "resize", "12345");
  const JobInfo job = info(id);
  BOOST_TEST(job.state == State::scheduled);
  BOOST_TEST(job.queue == "images");
  BOOST_TEST(job.task == "resize");
  BOOST_TEST(job.priority == -7);
  BOOST_TEST(job.max_retries == 5u);
  BOOST_TEST((job.enqueued == kStart));
  BOOST_TEST((job.due == kStart + 10s));
  BOOST_TEST((job.expires == kStart + 1h));
  BOOST_TEST((job.result_ttl == Duration(2h)));
  BOOST_TEST((job.timeout == Duration(3s)));
  BOOST_TEST((job.backoff == Backoff{Backoff::Kind::constant, 2s, 4s, 0.25}));
  BOOST_TEST((job.labels == std::vector<std::string>{"a", "b"}));
  BOOST_TEST(job.payload_bytes == 5u);
  BOOST_TEST(job.codec == "raw");
  BOOST_TEST(job.attempt == 0u);
  BOOST_TEST(!job.started.has_value());
  BOOST_TEST(!job.finished.has_value());
  BOOST_TEST(!job.exit_code.has_value());
}

BOOST_AUTO_TEST_CASE(a_job_for_later_is_scheduled) {
  BOOST_TEST(state(add({.delay = 1ms})) == State::scheduled);
  BOOST_TEST(state(add({.at = kStart + 1ms})) == State::scheduled);
  BOOST_TEST(state(add({.delay = 0s})) == State::ready);
  BOOST_TEST(state(add({.at = kStart - 1h})) == State::ready);
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses_naming_the_queue_and_its_size) {
  configure("small", {.max_size = 2});
  add({.queue = "small"});
  add({.queue = "small", .delay = 1h});
  const auto names_both = [](const QueueFull& error) {
    const std::string text = error.what();
    return text.find("'small'") != text.npos && text.find("2") != text.npos;
  };
  BOOST_CHECK_EXCEPTION(add({.queue = "small"}), QueueFull, names_both);
  BOOST_TEST(queue("small").unfinished() == 2u);
  BOOST_TEST(stats().enqueued == 2u);
  add({.queue = "other"});
}

BOOST_AUTO_TEST_CASE(a_queue_has_room_again_when_a_job_ends) {
  configure("small", {.max_size = 1});
  const WorkerId w = worker();
  const Claimed job = start(w, {.queue = "small"});
  BOOST_CHECK_THROW(add({.queue = "small"}), QueueFull);  // one that runs counts
  finish(job, succeeded());
  add({.queue = "small"});
}

BOOST_AUTO_TEST_CASE(a_queue_may_be_made_smaller_than_it_is) {
  add_many(3);
  configure("default", {.max_size = 1});
  BOOST_TEST(queue().unfinished() == 3u);
  BOOST_CHECK_THROW(add(), QueueFull);
  configure("default", {.max_size = 0});
  add();
}

BOOST_AUTO_TEST_CASE(what_is_refused_leaves_the_store_as_it_was) {
  configure("small", {.max_size = 2});
  const EventSeq before = stats().last_event;
  BOOST_CHECK_THROW(add_many(3, {.queue = "small"}, "new-task"), QueueFull);
  BOOST_TEST(stats().last_event == before);
  BOOST_TEST(stats().enqueued == 0u);
  BOOST_TEST(!find_task(read(), "new-task").has_value());
  BOOST_TEST(list().empty());
}

BOOST_AUTO_TEST_CASE(queues_and_tasks_are_made_when_they_are_first_named) {
  BOOST_TEST(!engine::queue(read(), "q").has_value());
  add({.queue = "q"}, "t");
  add({.queue = "q"}, "t");
  BOOST_TEST(types(events()) == "queue_created enqueued enqueued");
  BOOST_TEST(queue("q")[State::ready] == 2u);
  BOOST_TEST(stats().queues == 1u);
}

BOOST_AUTO_TEST_CASE(a_new_job_touches_its_queue_and_the_log) {
  add({.queue = "q"});
  BOOST_TEST(touched.queues.size() == 1u);
  BOOST_TEST(touched.events);
  BOOST_TEST(!touched.finals);
  BOOST_TEST(changed);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
