#include "engine/keys.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace tq::engine {
namespace {

// Under which kinds of index key a job stands: "ready expiry".
std::string kinds(const model::JobHeader& header) {
  std::string kinds;
  for (const store::KeyBytes& key : IndexKeys(7, header)) {
    static constexpr const char* kNames[] = {"", "ready", "due", "expiry", "active", "final", "keep", "span"};
    if (!kinds.empty()) kinds += ' ';
    kinds += kNames[static_cast<std::size_t>(std::string_view(key).at(0))];
  }
  return kinds;
}

model::JobHeader in(State state) {
  model::JobHeader header;
  header.state = state;
  return header;
}

BOOST_AUTO_TEST_SUITE(keys)

BOOST_AUTO_TEST_CASE(each_state_has_its_index) {
  BOOST_TEST(kinds(in(State::blocked)).empty());
  BOOST_TEST(kinds(in(State::scheduled)) == "due");
  BOOST_TEST(kinds(in(State::ready)) == "ready");
  BOOST_TEST(kinds(in(State::running)) == "active");
  BOOST_TEST(kinds(in(State::retrying)) == "due");
  BOOST_TEST(kinds(in(State::forwarded)).empty());
  for (const State state : {State::succeeded, State::failed, State::cancelled, State::expired}) {
    BOOST_TEST(kinds(in(state)) == "final keep");
  }
}

BOOST_AUTO_TEST_CASE(a_deadline_to_start_is_indexed_until_the_first_start) {
  for (const State state : {State::blocked, State::scheduled, State::ready}) {
    model::JobHeader header = in(state);
    header.expires_ms = 5;
    BOOST_TEST(kinds(header).ends_with("expiry"));
    header.run = 1;  // claimed, but not begun
    BOOST_TEST(kinds(header).ends_with("expiry"));
    header.started_ms = 4;
    BOOST_TEST(!kinds(header).ends_with("expiry"));
  }
  model::JobHeader over = in(State::cancelled);
  over.expires_ms = 5;
  BOOST_TEST(kinds(over) == "final keep");
}

BOOST_AUTO_TEST_CASE(a_wait_for_some_length_of_time_is_indexed_by_its_beginning) {
  for (const State state : {State::scheduled, State::retrying}) {
    model::JobHeader header = in(state);
    header.set(model::kSpan);
    BOOST_TEST(kinds(header) == "due span");
    header.enqueued_ms = 5;
    BOOST_TEST(waiting_since(header) == 5);
    header.started_ms = 7;
    BOOST_TEST(waiting_since(header) == 7);
  }
  model::JobHeader over = in(State::ready);
  over.set(model::kSpan);
  BOOST_TEST(kinds(over) == "ready");
}

BOOST_AUTO_TEST_CASE(ready_keys_sort_by_line_priority_time_and_id) {
  const std::vector<ReadyKey> in_order = {
      {1, 1, ~INT32_MAX, 5, 1}, {1, 1, ~1, -5, 1},        {1, 1, ~0, -5, 9}, {1, 1, ~0, 0, 1},
      {1, 1, ~0, 0, 2},         {1, 1, ~0, INT64_MAX, 1}, {1, 1, ~-1, 0, 1}, {1, 1, ~INT32_MIN, 0, 1},
      {1, 2, ~INT32_MAX, 0, 1}, {2, 1, ~INT32_MAX, 0, 1},
  };
  std::vector<std::string> encoded;
  for (const ReadyKey& key : in_order) encoded.emplace_back(store::encode_key(key));
  BOOST_TEST(std::is_sorted(encoded.begin(), encoded.end()));
}

BOOST_AUTO_TEST_CASE(a_ready_key_comes_from_the_header) {
  model::JobHeader header;
  header.queue = 2;
  header.task = 3;
  header.priority = 4;
  header.due_ms = 5;
  const ReadyKey key = ready_key(6, header);
  BOOST_TEST((store::encode_key(key) == *IndexKeys(6, header).begin()));
  BOOST_TEST(key.queue == 2u);
  BOOST_TEST(key.task == 3u);
  BOOST_TEST(key.rank == -5);
  BOOST_TEST(key.due_ms == 5);
  BOOST_TEST(key.job == 6u);
}

// On disk: these bytes never change.
BOOST_AUTO_TEST_CASE(keys_are_these_bytes) {
  const auto hex = [](std::string_view bytes) {
    std::string text;
    for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text;
  };
  BOOST_TEST(hex(store::encode_key(TotalsKey{})) == "01");
  BOOST_TEST(hex(store::encode_key(QueueKey{0x01020304})) == "0201020304");
  BOOST_TEST(hex(store::encode_key(TaskKey{5})) == "0300000005");
  BOOST_TEST(hex(store::encode_key(WorkerKey{6})) == "040000000000000006");
  BOOST_TEST(hex(store::encode_key(JobKey{7})) == "010000000000000007");
  BOOST_TEST(hex(store::encode_key(ReadyKey{1, 2, ~0, 3, 4})) ==
             "01"
             "00000001"
             "00000002"
             "7fffffff"
             "8000000000000003"
             "0000000000000004");
  BOOST_TEST(hex(store::encode_key(DueKey{-1, 4})) ==
             "02"
             "7fffffffffffffff"
             "0000000000000004");
  BOOST_TEST(hex(store::encode_key(ExpiryKey{1, 4})) ==
             "03"
             "8000000000000001"
             "0000000000000004");
  BOOST_TEST(hex(store::encode_key(ActiveKey{2, 4})) ==
             "04"
             "0000000000000002"
             "0000000000000004");
  BOOST_TEST(hex(store::encode_key(FinalKey{7, 1, 4})) ==
             "05"
             "07"
             "8000000000000001"
             "0000000000000004");
  BOOST_TEST(hex(store::encode_key(KeepKey{1, 4})) ==
             "06"
             "8000000000000001"
             "0000000000000004");
  BOOST_TEST(hex(store::encode_key(SpanKey{1, 4})) ==
             "07"
             "8000000000000001"
             "0000000000000004");
  BOOST_TEST(hex(store::encode_key(EventKey{9})) == "010000000000000009");
  BOOST_TEST(hex(store::encode_key(LogKey{1, 2})) ==
             "01"
             "0000000000000001"
             "0000000000000002");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::engine
