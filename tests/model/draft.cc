#include "model/draft.hpp"

#include "base/clock.hpp"
#include "support/fake_clock.hpp"
#include "support/message_of.hpp"
#include "support/random.hpp"

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cmath>

using namespace tq;
using namespace tq::model;
using namespace std::chrono_literals;
using namespace std::string_literals;
using test::kStart;

namespace {

constexpr std::size_t kMaxBytes = 1000;

Draft draft_of(const EnqueueOptions& options, std::string_view task = "resize", Payload payload = {}) {
  return draft(task, std::move(payload), options, kStart, kMaxBytes);
}

std::string refusal(const EnqueueOptions& options, std::string_view task = "resize", Payload payload = {}) {
  return test::message_of<InvalidArgument>([&] { draft_of(options, task, payload); });
}

std::string refusal(const Command& command, std::size_t max_bytes = kMaxBytes) {
  return test::message_of<InvalidArgument>([&] { encode_command(command, max_bytes); });
}

Command ls() { return {{"ls", "-l"}, {{"PATH", "/bin"}}, "/tmp", ""}; }

std::int64_t ms(Time time) { return base::to_ms(time); }

}  // namespace

BOOST_AUTO_TEST_SUITE(model_draft)

// --- what is made ---

BOOST_AUTO_TEST_CASE(without_options_a_job_is_ready_now_in_the_default_queue) {
  const Draft draft = draft_of({}, "resize", {"json", "{}"});
  BOOST_TEST(draft.queue == "default");
  BOOST_TEST(draft.task == "resize");
  BOOST_TEST(draft.payload == "{}");
  BOOST_TEST(draft.details.payload_codec == "json");
  JobHeader expected;
  expected.state = State::ready;
  expected.backoff_jitter_permille = 100;
  expected.max_retries = 3;
  expected.enqueued_ms = expected.due_ms = ms(kStart);
  expected.backoff_base_ms = 1000;
  expected.backoff_cap_ms = 3'600'000;
  BOOST_TEST((draft.header == expected));
}

BOOST_AUTO_TEST_CASE(every_option_finds_its_place) {
  EnqueueOptions options;
  options.queue = "images";
  options.priority = -7;
  options.delay = 10s;
  options.max_retries = 5;
  options.backoff = {Backoff::Kind::constant, 5s, 1s, 0.25};
  options.timeout = 30s;
  options.expires_in = 1min;
  options.result_ttl = 2h;
  options.labels = {"a", "b"};
  const Draft draft = draft_of(options);
  BOOST_TEST(draft.queue == "images");
  BOOST_TEST((draft.details.labels == options.labels));
  const JobHeader& header = draft.header;
  BOOST_TEST((header.state == State::scheduled));
  BOOST_TEST(header.priority == -7);
  BOOST_TEST(header.enqueued_ms == ms(kStart));
  BOOST_TEST(header.due_ms == ms(kStart + 10s));
  BOOST_TEST(header.has(kSpan));
  BOOST_TEST(header.max_retries == 5u);
  BOOST_TEST((header.backoff_kind == Backoff::Kind::constant));
  BOOST_TEST(header.backoff_base_ms == 5000);
  BOOST_TEST(header.backoff_jitter_permille == 250);
  BOOST_TEST(header.timeout_ms == 30'000);
  BOOST_TEST(header.expires_ms == ms(kStart + 1min));
  BOOST_TEST(header.result_ttl_ms == 7'200'000);
}

BOOST_AUTO_TEST_CASE(a_command_is_tried_once_and_a_task_has_three_retries_unless_told) {
  const Payload command = encode_command(ls(), kMaxBytes);
  BOOST_TEST(draft_of({}, "exec", command).header.max_retries == 0u);
  BOOST_TEST(draft_of({}, "other").header.max_retries == 3u);
  EnqueueOptions options;
  options.max_retries = 1;
  BOOST_TEST(draft_of(options, "exec", command).header.max_retries == 1u);
  options.max_retries = 0;
  BOOST_TEST(draft_of(options, "other").header.max_retries == 0u);
  options.max_retries = UINT32_MAX;
  BOOST_TEST(draft_of(options, "other").header.max_retries == UINT32_MAX);
}

BOOST_AUTO_TEST_CASE(a_job_is_scheduled_only_if_its_time_is_to_come) {
  EnqueueOptions options;
  options.delay = 0ms;
  BOOST_TEST((draft_of(options).header.state == State::ready));
  options.delay = 1ms;
  BOOST_TEST((draft_of(options).header.state == State::scheduled));
  BOOST_TEST(draft_of(options).header.due_ms == ms(kStart) + 1);
  options.delay.reset();
  options.at = kStart + 1ms;
  BOOST_TEST((draft_of(options).header.state == State::scheduled));
  for (const Time past : {kStart, kStart - 1ms, kStart - 24h * 365, Time::min()}) {
    options.at = past;
    const JobHeader header = draft_of(options).header;
    BOOST_TEST((header.state == State::ready));
    BOOST_TEST(header.due_ms == ms(kStart));  // its place in the line is that of now
  }
}

BOOST_AUTO_TEST_CASE(a_deadline_may_be_a_time_or_a_duration) {
  EnqueueOptions options;
  options.expires_at = kStart + 1ms;
  BOOST_TEST(draft_of(options).header.expires_ms == ms(kStart) + 1);
  options.expires_at.reset();
  options.expires_in = 1ms;
  BOOST_TEST(draft_of(options).header.expires_ms == ms(kStart) + 1);
}

BOOST_AUTO_TEST_CASE(a_result_that_is_not_kept_at_all_differs_from_one_kept_as_the_store_does) {
  EnqueueOptions options;
  options.result_ttl = 0s;
  BOOST_TEST(draft_of(options).header.result_ttl_ms == 0);
  BOOST_TEST(draft_of({}).header.result_ttl_ms == -1);
}

BOOST_AUTO_TEST_CASE(a_payload_comes_through_byte_for_byte_up_to_the_limit) {
  BOOST_TEST(draft_of({}, "t", {"raw", "a\0b"s}).payload == "a\0b"s);
  BOOST_TEST(draft_of({}, "t", {"raw", std::string(kMaxBytes, 'x')}).payload.size() == kMaxBytes);
}

// --- what is refused ---

BOOST_AUTO_TEST_CASE(bad_names_are_refused) {
  BOOST_TEST(refusal({}, "") == "the task name is empty: it takes 1 to 128 bytes");
  BOOST_TEST(refusal({.queue = ""}) == "the queue name is empty: it takes 1 to 128 bytes");
  BOOST_TEST(refusal({.queue = "a,b"}) == "the queue name 'a,b' has a comma, which separates names in a list");
  BOOST_TEST(refusal({.labels = {"good", "\n"}}) == "the label name has a control character");
  BOOST_TEST(refusal({}, "t", {"", ""}) == "the codec name is empty: it takes 1 to 128 bytes");
}

BOOST_AUTO_TEST_CASE(too_many_labels_are_refused) {
  EnqueueOptions options;
  options.labels.assign(32, "x");
  BOOST_TEST(draft_of(options).details.labels.size() == 32u);
  options.labels.emplace_back("x");
  BOOST_TEST(refusal(options) == "label is given 33 times: at most 32 are allowed");
}

BOOST_AUTO_TEST_CASE(a_payload_over_the_limit_is_refused) {
  BOOST_TEST(refusal({}, "t", {"raw", std::string(1001, 'x')}) == "payload has 1001 bytes: at most 1000 are allowed");
}

BOOST_AUTO_TEST_CASE(a_payload_that_is_no_command_is_refused_for_exec) {
  BOOST_TEST(refusal({}, "exec", {"json", "{}"}) == "payload is in codec 'json': task 'exec' takes a command");
}

BOOST_AUTO_TEST_CASE(negative_durations_are_refused) {
  BOOST_TEST(refusal({.delay = -5s}) == "delay is -5s: it must not be negative");
  BOOST_TEST(refusal({.timeout = -1ms}) == "timeout is -1ms: it must not be negative");
  BOOST_TEST(refusal({.expires_in = -1s}) == "expires is -1s: it must not be negative");
  BOOST_TEST(refusal({.result_ttl = -1s}) == "result-ttl is -1s: it must not be negative");
  BOOST_TEST(refusal({.backoff = {.base = -1s}}) == "backoff base is -1s: it must not be negative");
  BOOST_TEST(refusal({.backoff = {.cap = -1s}}) == "backoff cap is -1s: it must not be negative");
  BOOST_CHECK_THROW(draft_of({.delay = Duration::min()}), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(durations_and_times_beyond_the_limit_are_refused_however_large) {
  const Duration over = kMaxDuration + 1ms;
  BOOST_TEST(refusal({.delay = over}) == "delay is 36600d1ms: at most 36600d are allowed");
  BOOST_TEST(refusal({.timeout = over}) == "timeout is 36600d1ms: at most 36600d are allowed");
  BOOST_TEST(refusal({.expires_in = over}) == "expires is 36600d1ms: at most 36600d are allowed");
  BOOST_TEST(refusal({.result_ttl = over}) == "result-ttl is 36600d1ms: at most 36600d are allowed");
  BOOST_TEST(refusal({.backoff = {.base = over}}) == "backoff base is 36600d1ms: at most 36600d are allowed");
  BOOST_TEST(refusal({.at = kStart + over}) == "at is 2126-03-18T00:00:00.001Z: at most 36600d from now are allowed");
  BOOST_TEST(refusal({.expires_at = Time::max()}) ==
             "expires is 9999-12-31T23:59:59.999Z: at most 36600d from now are allowed");
  BOOST_CHECK_THROW(draft_of({.delay = Duration::max()}), InvalidArgument);
  BOOST_CHECK_THROW(draft_of({.at = Time::max()}), InvalidArgument);
  BOOST_TEST(draft_of({.delay = kMaxDuration}).header.due_ms == ms(kStart + kMaxDuration));
  BOOST_TEST(draft_of({.at = kStart + kMaxDuration}).header.due_ms == ms(kStart + kMaxDuration));
  BOOST_TEST(!draft_of({.at = kStart + kMaxDuration}).header.has(kSpan));
}

BOOST_AUTO_TEST_CASE(two_ways_of_saying_the_same_are_refused_together) {
  BOOST_TEST(refusal({.delay = 1s, .at = kStart}) == "delay and at are both given: use one of them");
  BOOST_TEST(refusal({.expires_in = 1s, .expires_at = kStart + 1s}) ==
             "expires is given both as a time and as a duration: use one of them");
}

BOOST_AUTO_TEST_CASE(a_deadline_that_is_past_is_refused) {
  BOOST_TEST(refusal({.expires_in = 0s}) == "expires is 0s: the job could never start");
  for (const Time past : {kStart, kStart - 1s, Time::min()}) {
    const std::string what = refusal({.expires_at = past});
    BOOST_TEST(what.find("it is past (now is 2026-01-01T00:00:00.000Z)") != what.npos);
  }
}

BOOST_AUTO_TEST_CASE(a_backoff_that_makes_no_sense_is_refused) {
  BOOST_TEST(refusal({.backoff = {.base = 2s, .cap = 1s}}) ==
             "backoff cap is 1s: it must not be below the base, which is 2s");
  BOOST_TEST(refusal({.backoff = {.jitter = -0.1}}) == "backoff jitter is -0.1: it takes 0 to 1");
  BOOST_TEST(refusal({.backoff = {.jitter = 1.1}}) == "backoff jitter is 1.1: it takes 0 to 1");
  BOOST_CHECK_THROW(draft_of({.backoff = {.jitter = std::nan("")}}), InvalidArgument);
  BOOST_TEST(refusal({.backoff = {.kind = static_cast<Backoff::Kind>(9)}}) ==
             "backoff is of kind 9: there are const and exp");
}

BOOST_AUTO_TEST_CASE(a_backoff_may_be_none_at_all_and_a_constant_one_needs_no_cap) {
  BOOST_TEST(draft_of({.backoff = {.base = 0s, .cap = 0s, .jitter = 0}}).header.backoff_cap_ms == 0);
  const Backoff constant{.kind = Backoff::Kind::constant, .base = 2h, .cap = 1h, .jitter = 1};
  const JobHeader header = draft_of({.backoff = constant}).header;
  BOOST_TEST(header.backoff_base_ms == 7'200'000);
  BOOST_TEST(header.backoff_jitter_permille == 1000);
}

// --- commands ---

BOOST_AUTO_TEST_CASE(a_command_comes_back_as_it_was) {
  Command command = ls();
  command.argv = {"/bin/echo", "", "a b", "\xff"};
  command.env = {{"EMPTY", ""}, {"A B", "c=d"}};
  command.stdin_data = "\0in\n"s;
  const Payload payload = encode_command(command, kMaxBytes);
  BOOST_TEST(payload.codec == "command");
  BOOST_TEST((decode_command(payload) == command));
}

BOOST_AUTO_TEST_CASE(a_command_that_cannot_be_run_is_refused) {
  const auto with = [](auto change) {
    Command command = ls();
    change(command);
    return refusal(command);
  };
  BOOST_TEST(with([](Command& c) { c.argv.clear(); }) == "the command is missing");
  BOOST_TEST(with([](Command& c) { c.argv = {"", "x"}; }) == "the command's name is empty");
  BOOST_TEST(with([](Command& c) { c.argv.emplace_back("a\0b"s); }) == "an argument of the command has a NUL byte");
  BOOST_TEST(with([](Command& c) { c.env = {{"", "x"}}; }) == "env has a variable without a name");
  BOOST_TEST(with([](Command& c) { c.env = {{"A=B", "x"}}; }) == "env variable 'A=B' has a '=' in its name");
  BOOST_TEST(with([](Command& c) { c.env = {{"A\0"s, "x"}}; }) == "the name of an env variable has a NUL byte");
  BOOST_TEST(with([](Command& c) { c.env = {{"A", "\0"s}}; }) == "env variable 'A' has a NUL byte");
  BOOST_TEST(with([](Command& c) { c.cwd = ""; }) == "cwd is '': it must be absolute");
  BOOST_TEST(with([](Command& c) { c.cwd = "here"; }) == "cwd is 'here': it must be absolute");
  BOOST_TEST(with([](Command& c) { c.cwd = "/a\0"s; }) == "cwd has a NUL byte");
}

BOOST_AUTO_TEST_CASE(arguments_and_environment_have_a_limit_of_their_own) {
  Command command{
      {std::string(kMaxCommandBytes / 2 - 1, 'x')}, {{"A", std::string(kMaxCommandBytes / 2 - 3, 'y')}}, "/", ""};
  encode_command(command, kMaxBlobBytes);
  command.argv.emplace_back("");  // its NUL byte counts
  BOOST_TEST(refusal(command, kMaxBlobBytes) ==
             "the command's arguments and environment have 2097153 bytes: at most 2097152 are allowed");
}

BOOST_AUTO_TEST_CASE(a_command_with_its_stdin_is_held_to_the_limit_of_payloads) {
  Command command = ls();
  const std::size_t without = encode_command(command, kMaxBytes).bytes.size();
  command.stdin_data.assign(kMaxBytes - without, 'x');
  BOOST_TEST(draft_of({}, "exec", encode_command(command, kMaxBytes)).payload.size() == kMaxBytes);
  command.stdin_data += 'x';
  BOOST_TEST(refusal(command) == "the command takes 1001 bytes with its stdin: at most 1000 are allowed");
}

BOOST_AUTO_TEST_CASE(what_is_no_command_is_not_decoded_as_one) {
  BOOST_TEST(test::message_of<CodecError>([] {
               decode_command({"json", "{}"});
             }) == "the payload is in codec 'json', not a command");
  BOOST_CHECK_THROW(decode_command({"command", "\x01garbage"}), CodecError);
  BOOST_CHECK_THROW(decode_command({"command", ""}), CodecError);
}

// --- changes and settings ---

BOOST_AUTO_TEST_CASE(a_change_is_held_to_the_same_limits) {
  const auto refused = [](const JobChange& change) {
    return test::message_of<InvalidArgument>([&] { check(change, kStart); });
  };
  check(JobChange{}, kStart);
  check(JobChange{.queue = "a", .priority = INT32_MIN, .at = Time::min(), .labels = {{"x"}}}, kStart);
  BOOST_TEST(refused({.queue = ""}) == "the queue name is empty: it takes 1 to 128 bytes");
  BOOST_TEST(refused({.at = kStart + kMaxDuration + 1ms}) ==
             "at is 2126-03-18T00:00:00.001Z: at most 36600d from now are allowed");
  BOOST_TEST(refused({.labels = {{"a,b"}}}) == "the label name 'a,b' has a comma, which separates names in a list");
  BOOST_TEST(refused({.labels = std::vector<std::string>(33, "x")}) ==
             "label is given 33 times: at most 32 are allowed");
}

BOOST_AUTO_TEST_CASE(a_queue_size_beyond_what_can_be_counted_is_refused) {
  check(QueueSettings{});
  check(QueueSettings{INT64_MAX});
  const auto what = test::message_of<InvalidArgument>([] { check(QueueSettings{UINT64_MAX}); });
  BOOST_TEST(what == "max-size is 18446744073709551615: at most 9223372036854775807 are allowed");
}

BOOST_AUTO_TEST_SUITE_END()
