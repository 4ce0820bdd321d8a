#include <tq/types.hpp>

namespace tq {
namespace {

// The one of the enumerators, which count up from 1 without gaps, that has this name.
template <class Enum>
std::optional<Enum> parse(std::string_view name) {
  for (std::uint8_t number = 1;; ++number) {
    const auto value = static_cast<Enum>(number);
    const std::string_view known = to_string(value);
    if (known.empty()) return std::nullopt;
    if (known == name) return value;
  }
}

}  // namespace

std::string_view to_string(State state) {
  switch (state) {
    case State::blocked:
      return "blocked";
    case State::scheduled:
      return "scheduled";
    case State::ready:
      return "ready";
    case State::running:
      return "running";
    case State::retrying:
      return "retrying";
    case State::forwarded:
      return "forwarded";
    case State::succeeded:
      return "succeeded";
    case State::failed:
      return "failed";
    case State::cancelled:
      return "cancelled";
    case State::expired:
      return "expired";
  }
  return {};
}

std::optional<State> parse_state(std::string_view name) { return parse<State>(name); }

std::string_view to_string(EventType type) {
  switch (type) {
    case EventType::enqueued:
      return "enqueued";
    case EventType::started:
      return "started";
    case EventType::progress:
      return "progress";
    case EventType::retrying:
      return "retrying";
    case EventType::succeeded:
      return "succeeded";
    case EventType::failed:
      return "failed";
    case EventType::cancelled:
      return "cancelled";
    case EventType::expired:
      return "expired";
    case EventType::crashed:
      return "crashed";
    case EventType::interrupted:
      return "interrupted";
    case EventType::snoozed:
      return "snoozed";
    case EventType::cancel_requested:
      return "cancel_requested";
    case EventType::retried:
      return "retried";
    case EventType::changed:
      return "changed";
    case EventType::due:
      return "due";
    case EventType::removed:
      return "removed";
    case EventType::queue_created:
      return "queue_created";
    case EventType::queue_paused:
      return "queue_paused";
    case EventType::queue_resumed:
      return "queue_resumed";
    case EventType::queue_changed:
      return "queue_changed";
    case EventType::worker_started:
      return "worker_started";
    case EventType::worker_stopped:
      return "worker_stopped";
    case EventType::worker_died:
      return "worker_died";
    case EventType::lost:
      return "lost";
  }
  return {};
}

std::optional<EventType> parse_event_type(std::string_view name) { return parse<EventType>(name); }

}  // namespace tq
