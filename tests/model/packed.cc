#include "model/packed.hpp"

#include "bit_flips.hpp"
#include "model/job_record.hpp"
#include "model/records.hpp"
#include "support/message_of.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

// The most bytes that were asked for at once: what a size that nobody checked would show in.
std::size_t largest_allocation = 0;

}  // namespace

// Not inlined, because GCC then takes the pair for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  largest_allocation = std::max(largest_allocation, size);
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

using namespace tq;
using namespace tq::model;
using namespace std::string_literals;

namespace {

std::vector<std::string> random_names(test::Random& random) {
  std::vector<std::string> names(random.below(5));
  for (std::string& name : names) name = random.bytes(40);
  return names;
}

JobDetails random_details(test::Random& random) { return {random.text(20), random.text(20), random_names(random)}; }

WorkerRecord random_worker(test::Random& random) {
  WorkerRecord record;
  record.pid = random.any<std::int64_t>();
  record.pid_started = random.any<std::uint64_t>();
  record.guard_pid = random.any<std::int64_t>();
  record.token = random.text(40);
  record.host = random.text(40);
  record.started_ms = random.any<std::int64_t>();
  record.concurrency = random.any<std::uint32_t>();
  record.max_crashes = random.any<std::uint32_t>();
  record.stopping = random.chance(50);
  record.queues = random_names(random);
  record.tasks = random_names(random);
  return record;
}

Command random_command(test::Random& random) {
  Command command{random_names(random), {}, random.bytes(40), random.bytes(500)};
  for (const std::string& name : random_names(random)) command.env.emplace_back(name, random.bytes(40));
  return command;
}

const auto bytes_of_details = [](const JobDetails& value) { return pack(value); };
const auto bytes_of_worker = [](const WorkerRecord& value) { return encode(value); };
const auto bytes_of_command = [](const Command& value) { return pack(value); };
const auto details_of = [](std::string_view bytes) { return unpack_details(bytes); };
const auto worker_of = [](std::string_view bytes) { return decode_worker(bytes); };
const auto command_of = [](std::string_view bytes) { return unpack_command(bytes); };

template <class Make, class Encode, class Decode>
void comes_back(Make make, Encode bytes_of, Decode decode) {
  test::Random random;
  for (int i = 0; i < 2000; ++i) {
    const auto value = make(random);
    BOOST_REQUIRE(decode(bytes_of(value)) == value);
  }
}

// `shorter`: how many of its beginnings may be whole.
template <class Make, class Encode, class Decode>
void withstands_damage(Make make, Encode bytes_of, Decode decode, std::size_t shorter = 0) {
  test::Random random;
  for (int i = 0; i < 20; ++i) {
    const std::string bytes = bytes_of(make(random));
    largest_allocation = 0;
    BOOST_REQUIRE_EQUAL(test::with_each_length(bytes, decode).decoded, shorter);
    const test::Flipped flipped = test::with_each_bit_flipped(bytes, decode);
    BOOST_REQUIRE_GE(flipped.refused, 8u);
    // An empty string takes eight bytes on disk and 32 in memory; the text of an exception takes some too.
    BOOST_REQUIRE_LE(largest_allocation, 4 * bytes.size() + 1024);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_packed)

BOOST_AUTO_TEST_CASE(details_come_back_as_they_were) { comes_back(random_details, bytes_of_details, details_of); }
BOOST_AUTO_TEST_CASE(a_worker_comes_back_as_it_was) { comes_back(random_worker, bytes_of_worker, worker_of); }
BOOST_AUTO_TEST_CASE(a_command_comes_back_as_it_was) { comes_back(random_command, bytes_of_command, command_of); }

BOOST_AUTO_TEST_CASE(damage_is_refused_or_decodes_to_something_within_bounded_memory) {
  withstands_damage(random_details, bytes_of_details, details_of, 1);  // nothing at all is the defaults
  withstands_damage(random_worker, bytes_of_worker, worker_of);
  withstands_damage(random_command, bytes_of_command, command_of);
}

BOOST_AUTO_TEST_CASE(random_bytes_are_refused_or_decode_to_something_within_bounded_memory) {
  test::Random random;
  test::Flipped flipped;
  largest_allocation = 0;
  for (int i = 0; i < 20000; ++i) {
    const std::string bytes = "\x01\x01"s + random.bytes(100);
    test::decode_or_refuse(bytes, details_of, flipped);
    test::decode_or_refuse(bytes, worker_of, flipped);
    test::decode_or_refuse(bytes, command_of, flipped);
  }
  BOOST_TEST(largest_allocation <= 4u * 102 + 1024);
}

BOOST_AUTO_TEST_CASE(a_version_that_is_not_known_is_damage) {
  std::string bytes = pack(JobDetails{.labels = {"a"}});
  bytes[0] = 2;
  BOOST_TEST(test::message_of<Damaged>([&] { unpack_details(bytes); }) ==
             "a job's details are of version 2, which is not known");
}

BOOST_AUTO_TEST_CASE(details_by_default_take_no_bytes) {
  BOOST_TEST(pack(JobDetails{}).empty());
  BOOST_CHECK(unpack_details("") == JobDetails{});
}

BOOST_AUTO_TEST_CASE(bytes_behind_the_end_are_damage) {
  const auto what = test::message_of<Damaged>([] { decode_worker(encode(WorkerRecord{}) + "x"); });
  BOOST_TEST(what == "a worker's fields do not end where they should");
}

BOOST_AUTO_TEST_CASE(more_bytes_than_could_have_been_written_are_not_looked_at) {
  const auto what = test::message_of<Damaged>([] { unpack_details(std::string(65537, '\x01')); });
  BOOST_TEST(what == "a job's details have 65537 bytes: at most 65536 are believed");
  BOOST_CHECK_THROW(decode_worker(std::string(1024 * 1024 + 1, '\x01')), Damaged);
}

BOOST_AUTO_TEST_CASE(a_flag_that_is_neither_0_nor_1_is_damage) {
  const std::string stopping = encode(WorkerRecord{.stopping = true});
  const std::string running = encode(WorkerRecord{});
  const auto flag = std::mismatch(running.begin(), running.end(), stopping.begin()).first - running.begin();
  std::string bytes = running;
  bytes[static_cast<std::size_t>(flag)] = 2;
  BOOST_TEST(test::message_of<Damaged>([&] { decode_worker(bytes); }) ==
             "a worker's fields cannot be read: a flag is neither 0 nor 1");
}

// The layout that stores on disk have: the version, then cereal's portable binary archive. If this fails, it is a new version
// and old ones must still be read.
BOOST_AUTO_TEST_CASE(the_bytes_on_disk_are_those_of_version_1) {
  const auto u64 = [](char c) { return std::string{c, 0, 0, 0, 0, 0, 0, 0}; };
  const auto text = [&](const std::string& s) { return u64(static_cast<char>(s.size())) + s; };
  const std::string begin = "\x01\x01";  // version; little-endian
  BOOST_TEST(pack(JobDetails{"json", "raw", {"a", "bc"}}) ==
             begin + text("json") + text("raw") + u64(2) + text("a") + text("bc"));
  BOOST_TEST(pack(Command{{"ls", "-l"}, {{"A", "1"}}, "/", "in"}) ==
             begin + u64(2) + text("ls") + text("-l") + u64(1) + text("A") + text("1") + text("/") + text("in"));
  WorkerRecord worker{.pid = 1, .pid_started = 2, .guard_pid = 3, .token = "t", .host = "h", .started_ms = 4};
  worker.concurrency = 5;
  worker.max_crashes = 6;
  worker.stopping = true;
  worker.queues = {"q"};
  BOOST_TEST(encode(worker) == begin + u64(1) + u64(2) + u64(3) + text("t") + text("h") + u64(4) + "\x05\0\0\0"s +
                                   "\x06\0\0\0"s + "\x01" + u64(1) + text("q") + u64(0));
}

BOOST_AUTO_TEST_SUITE_END()
