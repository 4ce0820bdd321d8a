#include <tq/types.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

using namespace tq;

BOOST_AUTO_TEST_SUITE(base_types)

BOOST_AUTO_TEST_CASE(every_state_has_a_name_of_its_own_that_is_read_back) {
  std::set<std::string_view> names;
  for (std::size_t number = 1; number < kStateCount; ++number) {
    const auto state = static_cast<State>(number);
    const std::string_view name = to_string(state);
    BOOST_REQUIRE(!name.empty());
    BOOST_TEST((parse_state(name) == state));
    names.insert(name);
  }
  BOOST_TEST(names.size() == kStateCount - 1);
}

BOOST_AUTO_TEST_CASE(every_event_type_has_a_name_of_its_own_that_is_read_back) {
  std::set<std::string_view> names;
  const auto last = static_cast<unsigned>(EventType::worker_died);
  for (unsigned number = 1; number <= last; ++number) {
    const auto type = static_cast<EventType>(number);
    const std::string_view name = to_string(type);
    BOOST_REQUIRE(!name.empty());
    BOOST_TEST((parse_event_type(name) == type));
    names.insert(name);
  }
  BOOST_TEST(names.size() == last);
}

BOOST_AUTO_TEST_CASE(names_are_those_that_the_documents_use) {
  BOOST_TEST(to_string(State::blocked) == "blocked");
  BOOST_TEST(to_string(State::succeeded) == "succeeded");
  BOOST_TEST(to_string(State::cancelled) == "cancelled");
  BOOST_TEST(to_string(EventType::cancel_requested) == "cancel_requested");
  BOOST_TEST(to_string(EventType::queue_created) == "queue_created");
}

BOOST_AUTO_TEST_CASE(a_number_without_a_meaning_has_no_name) {
  BOOST_TEST(to_string(static_cast<State>(0)) == "");
  BOOST_TEST(to_string(static_cast<State>(kStateCount)) == "");
  BOOST_TEST(to_string(static_cast<EventType>(0)) == "");
  BOOST_TEST(to_string(static_cast<EventType>(255)) == "");
}

BOOST_AUTO_TEST_CASE(a_name_without_a_meaning_is_nothing) {
  for (const char* name : {"", "Ready", "ready ", "readyx", "done", "enqueued"}) BOOST_TEST(!parse_state(name));
  for (const char* name : {"", "Due", "ready", "queue"}) BOOST_TEST(!parse_event_type(name));
}

BOOST_AUTO_TEST_CASE(the_last_four_states_are_final) {
  const std::set<State> final_states = {State::succeeded, State::failed, State::cancelled, State::expired};
  for (std::size_t number = 1; number < kStateCount; ++number) {
    const auto state = static_cast<State>(number);
    BOOST_TEST(is_final(state) == final_states.contains(state));
  }
}

BOOST_AUTO_TEST_CASE(a_queue_counts_what_waits_and_what_is_unfinished) {
  QueueInfo queue;
  std::uint64_t bit = 1;
  for (std::size_t number = 1; number < kStateCount; ++number, bit *= 2) queue.count[number] = bit;
  const auto of = [&queue](State state) { return queue[state]; };
  const auto waiting = of(State::blocked) + of(State::scheduled) + of(State::ready) + of(State::retrying);
  BOOST_TEST(queue.waiting() == waiting);
  BOOST_TEST(queue.unfinished() == waiting + of(State::running) + of(State::forwarded));
}

BOOST_AUTO_TEST_SUITE_END()
