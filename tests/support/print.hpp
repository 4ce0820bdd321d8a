// How Boost.Test prints what the contract's types hold.
#pragma once

#include <tq/types.hpp>

#include <ostream>
#include <string>
#include <vector>

namespace tq {

inline std::ostream& boost_test_print_type(std::ostream& out, State state) { return out << to_string(state); }
inline std::ostream& boost_test_print_type(std::ostream& out, EventType type) { return out << to_string(type); }
inline std::ostream& boost_test_print_type(std::ostream& out, CancelOutcome outcome) {
  constexpr const char* kNames[] = {"no_such_job", "cancelled", "requested", "already_final"};
  return out << kNames[static_cast<std::size_t>(outcome)];
}
inline std::ostream& boost_test_print_type(std::ostream& out, Stream stream) {
  return out << (stream == Stream::out ? "out" : stream == Stream::err ? "err" : "note");
}

}  // namespace tq

namespace tq::test {

// Numbers in a row, to be compared as one text: "3 1 2".
inline std::string ids(const std::vector<JobId>& jobs) {
  std::string text;
  for (const JobId id : jobs) text += (text.empty() ? "" : " ") + std::to_string(id);
  return text;
}
inline std::string ids(const std::vector<JobInfo>& jobs) {
  std::vector<JobId> numbers;
  for (const JobInfo& job : jobs) numbers.push_back(job.id);
  return ids(numbers);
}

// The types of events in a row: "enqueued started succeeded".
inline std::string types(const std::vector<Event>& events) {
  std::string text;
  for (const Event& event : events) text += (text.empty() ? "" : " ") + std::string(to_string(event.type));
  return text;
}

// The codes of reasons in a row.
inline std::string codes(const std::vector<Reason>& reasons) {
  std::string text;
  for (const Reason& reason : reasons) text += (text.empty() ? "" : " ") + reason.code;
  return text;
}

}  // namespace tq::test
