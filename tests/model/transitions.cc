#include "model/transitions.hpp"

#include <boost/test/unit_test.hpp>

#include <fstream>
#include <set>
#include <string>
#include <vector>

using namespace tq;
using namespace tq::model;

namespace {

constexpr std::size_t kStates = kStateCount - 1;

State state(std::size_t number) { return static_cast<State>(number); }

struct Line {
  std::string from;
  std::string to;
  std::string by;
  bool operator==(const Line&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Line& line) {
  return out << line.from << " -> " << line.to << " by " << line.by;
}

// "| a | b | c |": the cells; nothing if that is no line of a table of three columns.
std::vector<std::string> cells(const std::string& line) {
  std::vector<std::string> cells;
  std::size_t begin = 2;
  if (!line.starts_with("| ")) return {};
  for (std::size_t end; (end = line.find(" |", begin)) != line.npos; begin = end + 3) {
    cells.push_back(line.substr(begin, end - begin));
  }
  return cells.size() == 3 ? cells : std::vector<std::string>{};
}

std::vector<std::string> document() {
  std::ifstream file(TQ_SOURCE_ROOT "/src/model/STATES.md");
  BOOST_REQUIRE(file.is_open());
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

std::vector<Line> documented() {
  std::vector<Line> table;
  for (const std::string& line : document()) {
    const auto row = cells(line);
    if (!row.empty() && row[0] != "from" && row[0] != "---") table.push_back({row[0], row[1], row[2]});
  }
  return table;
}

std::set<State> reachable(State from) {
  std::set<State> found = {from};
  for (std::size_t before = 0; before != found.size();) {
    before = found.size();
    for (const Transition& transition : transitions()) {
      if (found.contains(transition.from)) found.insert(transition.to);
    }
  }
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(model_transitions)

BOOST_AUTO_TEST_CASE(the_document_and_the_code_have_the_same_table_in_the_same_order) {
  std::vector<Line> code;
  for (const Transition& transition : transitions()) {
    code.push_back(
        {std::string(to_string(transition.from)), std::string(to_string(transition.to)), std::string(transition.when)});
  }
  const std::vector<Line> page = documented();
  BOOST_CHECK_EQUAL_COLLECTIONS(code.begin(), code.end(), page.begin(), page.end());
}

BOOST_AUTO_TEST_CASE(the_document_explains_every_state_and_nothing_else) {
  std::set<std::string> explained, states;
  for (const std::string& line : document()) {
    if (line.starts_with("### `")) explained.insert(line.substr(5, line.size() - 6));
  }
  for (std::size_t number = 1; number <= kStates; ++number) states.emplace(to_string(state(number)));
  BOOST_CHECK_EQUAL_COLLECTIONS(explained.begin(), explained.end(), states.begin(), states.end());
}

BOOST_AUTO_TEST_CASE(may_move_is_the_table_and_only_the_table) {
  std::set<std::pair<State, State>> table;
  for (const Transition& transition : transitions()) {
    const bool is_new = table.emplace(transition.from, transition.to).second;
    BOOST_TEST(is_new);
  }
  for (std::size_t from = 1; from <= kStates; ++from) {
    for (std::size_t to = 1; to <= kStates; ++to) {
      BOOST_TEST(may_move(state(from), state(to)) == table.contains({state(from), state(to)}));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_change_within_a_state_is_no_transition) {
  for (std::size_t number = 1; number <= kStates; ++number) BOOST_TEST(!may_move(state(number), state(number)));
}

BOOST_AUTO_TEST_CASE(only_a_ready_job_is_claimed_and_only_a_running_one_fails_an_attempt) {
  for (std::size_t number = 1; number <= kStates; ++number) {
    const State from = state(number);
    BOOST_TEST(may_move(from, State::running) == (from == State::ready));
    BOOST_TEST(may_move(from, State::retrying) == (from == State::running));
    BOOST_TEST(may_move(from, State::forwarded) == (from == State::ready));
    const bool is_in_hand = from == State::running || from == State::forwarded;
    BOOST_TEST(may_move(from, State::succeeded) == is_in_hand);
    BOOST_TEST(may_move(from, State::failed) == is_in_hand);
  }
}

BOOST_AUTO_TEST_CASE(every_job_that_is_not_final_may_be_cancelled_and_a_final_one_only_sent_round_again) {
  for (std::size_t number = 1; number <= kStates; ++number) {
    const State from = state(number);
    BOOST_TEST(may_move(from, State::cancelled) == !is_final(from));
    if (!is_final(from)) continue;
    for (std::size_t to = 1; to <= kStates; ++to) {
      BOOST_TEST(may_move(from, state(to)) == (state(to) == State::ready));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_has_started_does_not_expire_here) {
  BOOST_TEST(!may_move(State::running, State::expired));
  BOOST_TEST(!may_move(State::retrying, State::expired));
}

BOOST_AUTO_TEST_CASE(nothing_becomes_blocked_again) {
  for (std::size_t number = 1; number <= kStates; ++number) BOOST_TEST(!may_move(state(number), State::blocked));
}

BOOST_AUTO_TEST_CASE(no_state_is_a_trap_and_each_is_reached_from_a_beginning) {
  std::set<State> reached;
  for (std::size_t number = 1; number <= kStates; ++number) {
    if (may_begin(state(number))) reached.merge(reachable(state(number)));
    for (const State wanted : {State::succeeded, State::failed, State::cancelled, State::expired}) {
      BOOST_TEST(reachable(state(number)).contains(wanted));
    }
  }
  BOOST_TEST(reached.size() == kStates);
}

BOOST_AUTO_TEST_CASE(a_job_begins_by_waiting) {
  for (std::size_t number = 1; number <= kStates; ++number) {
    const State begin = state(number);
    const bool waits = begin == State::blocked || begin == State::scheduled || begin == State::ready;
    BOOST_TEST(may_begin(begin) == waits);
  }
}

BOOST_AUTO_TEST_SUITE_END()
