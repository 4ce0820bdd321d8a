#include "model/records.hpp"

#include "bit_flips.hpp"
#include "packing.hpp"
#include "support/message_of.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace tq;
using namespace tq::model;
using namespace std::string_literals;

namespace {

QueueRecord random_queue(test::Random& random) {
  QueueRecord record{random.text(128), random.chance(50), random.any<std::uint64_t>(), {}};
  for (std::size_t state = 1; state < kStateCount; ++state) record.count[state] = random.any<std::uint64_t>();
  return record;
}

EventRecord random_event(test::Random& random) {
  const auto last = static_cast<std::uint64_t>(EventType::worker_died);
  return {random.any<std::int64_t>(),
          static_cast<EventType>(1 + random.below(last)),
          random.any<std::uint32_t>(),
          random.any<std::uint32_t>(),
          random.any<std::uint64_t>(),
          random.any<std::uint64_t>(),
          random.any<std::uint64_t>(),
          random.any<std::uint32_t>(),
          random.bytes(200)};
}

LogRecord random_log(test::Random& random) {
  return {random.any<std::int64_t>(), random.any<std::uint32_t>(), static_cast<Stream>(1 + random.below(3)),
          random.bytes(4000)};
}

Totals random_totals(test::Random& random) {
  Totals t;
  t.next_queue = random.any<std::uint32_t>();
  t.next_task = random.any<std::uint32_t>();
  for (std::uint64_t* field : {&t.next_job, &t.next_event, &t.next_worker, &t.enqueued, &t.attempts, &t.succeeded,
                               &t.failed, &t.cancelled, &t.expired, &t.crashes}) {
    *field = random.any<std::uint64_t>();
  }
  return t;
}

const auto queue_of = [](std::string_view bytes) { return decode_queue(bytes); };
const auto event_of = [](std::string_view bytes) { return decode_event(bytes); };
const auto log_of = [](std::string_view bytes) { return decode_log(bytes); };
const auto totals_of = [](std::string_view bytes) { return decode_totals(bytes); };

template <class Make, class Decode>
void comes_back(Make make, Decode decode) {
  test::Random random;
  for (int i = 0; i < 2000; ++i) {
    const auto record = make(random);
    BOOST_REQUIRE(decode(encode(record)) == record);
  }
}

// A record whose text is empty has only fixed bytes: each beginning of it is too short.
template <class Record, class Decode>
void withstands_damage(const Record& without_text, Decode decode) {
  const std::string bytes = encode(without_text);
  BOOST_TEST(test::with_each_length(bytes, decode).decoded == 0u);
  const test::Flipped flipped = test::with_each_bit_flipped(bytes, decode);
  BOOST_TEST(flipped.refused >= 8u);  // the version at least
  for (const int version : {0, 2, 255}) {
    std::string newer = bytes;
    newer[0] = static_cast<char>(version);
    const auto what = test::message_of<Damaged>([&] { decode(newer); });
    BOOST_TEST(what.find("is of version " + std::to_string(version)) != what.npos);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_records)

BOOST_AUTO_TEST_CASE(a_queue_comes_back_as_it_was) { comes_back(random_queue, queue_of); }
BOOST_AUTO_TEST_CASE(an_event_comes_back_as_it_was) { comes_back(random_event, event_of); }
BOOST_AUTO_TEST_CASE(output_comes_back_as_it_was) { comes_back(random_log, log_of); }
BOOST_AUTO_TEST_CASE(totals_come_back_as_they_were) { comes_back(random_totals, totals_of); }

BOOST_AUTO_TEST_CASE(a_damaged_record_is_refused_or_decodes_to_something) {
  withstands_damage(QueueRecord{}, queue_of);
  withstands_damage(EventRecord{.type = EventType::due}, event_of);
  withstands_damage(LogRecord{.stream = Stream::out}, log_of);
  withstands_damage(Totals{}, totals_of);
}

BOOST_AUTO_TEST_CASE(numbers_that_mean_nothing_are_damage) {
  const auto event = [](int type) {
    return test::message_of<Damaged>([=] { decode_event(encode(EventRecord{.type = static_cast<EventType>(type)})); });
  };
  const auto log = [](int stream) {
    return test::message_of<Damaged>([=] { decode_log(encode(LogRecord{.stream = static_cast<Stream>(stream)})); });
  };
  BOOST_TEST(event(0) == "an event's record names type 0");
  BOOST_TEST(event(200) == "an event's record names type 200");
  BOOST_TEST(log(0) == "an output's record names stream 0");
  BOOST_TEST(log(4) == "an output's record names stream 4");
}

BOOST_AUTO_TEST_CASE(totals_with_bytes_behind_them_are_damage) {
  const auto what = test::message_of<Damaged>([] { decode_totals(encode(Totals{}) + "x"); });
  BOOST_TEST(what == "the totals' record is 1 bytes too long");
}

// The layouts that stores on disk have. If one fails, it is a new version and old ones must still be read.
BOOST_AUTO_TEST_CASE(the_bytes_on_disk_are_those_of_version_1) {
  const auto u32 = [](char c) { return std::string{c, 0, 0, 0}; };
  const auto u64 = [](char c) { return std::string{c, 0, 0, 0, 0, 0, 0, 0}; };
  QueueRecord queue{"mail", true, 5, {}};
  std::string counts;
  for (std::size_t state = 1; state < kStateCount; ++state) {
    queue.count[state] = 0x10 + state;
    counts += u64(static_cast<char>(0x10 + state));
  }
  const auto record = [](const std::string& fields, const std::string& tail) {
    return "\x01"s + test::packed(fields) + tail;
  };
  BOOST_TEST(encode(queue) == record("\x01"s + u64(5) + counts, "mail"));
  const EventRecord event{1, EventType::progress, 2, 3, 4, 5, 6, 7, "half"};
  BOOST_TEST(encode(event) == record(u64(1) + "\x03" + u32(2) + u32(3) + u64(4) + u64(5) + u64(6) + u32(7), "half"));
  BOOST_TEST(encode(LogRecord{1, 2, Stream::err, "oops"}) == record(u64(1) + u32(2) + "\x02", "oops"));
  const std::string totals =
      u64(1) + u64(2) + u64(3) + u32(4) + u32(5) + u64(6) + u64(7) + u64(8) + u64(9) + u64(10) + u64(11) + u64(12);
  BOOST_TEST(encode(Totals{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}) == record(totals, ""));
}

BOOST_AUTO_TEST_CASE(unfinished_counts_the_states_that_are_not_final) {
  QueueRecord record;
  std::uint64_t expected = 0;
  for (std::size_t state = 1; state < kStateCount; ++state) {
    record.count[state] = 1u << state;
    if (!is_final(static_cast<State>(state))) expected += 1u << state;
  }
  BOOST_TEST(record.unfinished() == expected);
}

BOOST_AUTO_TEST_SUITE_END()
