#include "model/transitions.hpp"

#include <array>

namespace tq::model {
namespace {

using enum State;

constexpr Transition kTransitions[] = {
    {blocked, scheduled, "unblock"},
    {blocked, ready, "unblock"},
    {blocked, cancelled, "cancel, unblock"},
    {blocked, expired, "fire_due"},
    {scheduled, ready, "fire_due, retry, change"},
    {scheduled, cancelled, "cancel"},
    {scheduled, expired, "fire_due"},
    {ready, scheduled, "change"},
    {ready, running, "claim"},
    {ready, forwarded, "forward"},
    {ready, cancelled, "cancel"},
    {ready, expired, "fire_due, claim"},
    {running, scheduled, "finish"},
    {running, ready, "finish, crash, give_back"},
    {running, retrying, "finish"},
    {running, succeeded, "finish"},
    {running, failed, "finish, crash"},
    {running, cancelled, "finish, crash, give_back"},
    {retrying, ready, "fire_due, retry, change"},
    {retrying, cancelled, "cancel"},
    {forwarded, ready, "take_back"},
    {forwarded, succeeded, "take_result"},
    {forwarded, failed, "take_result"},
    {forwarded, cancelled, "cancel, take_result"},
    {forwarded, expired, "fire_due, take_result"},
    {succeeded, ready, "retry"},
    {failed, ready, "retry"},
    {cancelled, ready, "retry"},
    {expired, ready, "retry"},
};

constexpr std::size_t index(State state) { return static_cast<std::size_t>(state); }
constexpr unsigned bit(State state) { return 1u << index(state); }

// For each state the set of those that it may move to.
constexpr auto kMoves = [] {
  std::array<unsigned, kStateCount> moves{};
  for (const Transition& transition : kTransitions) moves[index(transition.from)] |= bit(transition.to);
  return moves;
}();

}  // namespace

std::span<const Transition> transitions() { return kTransitions; }

bool may_move(State from, State to) { return (kMoves[index(from)] & bit(to)) != 0; }

bool may_begin(State state) { return state == blocked || state == scheduled || state == ready; }

}  // namespace tq::model
