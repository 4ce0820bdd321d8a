// The one table of legal transitions between states. Nothing else decides. STATES.md explains each line.
#pragma once

#include <tq/types.hpp>

#include <span>
#include <string_view>

namespace tq::model {

struct Transition {
  State from;
  State to;
  std::string_view when;  // the verbs of the engine that make it, separated by ", "
};

// Every legal transition, in the order of STATES.md.
std::span<const Transition> transitions();

// Is there a line from -> to? A change within a state is none.
bool may_move(State from, State to);

// The states in which a new job may begin.
bool may_begin(State state);

}  // namespace tq::model
