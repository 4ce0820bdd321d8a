// A process that the kill test starts, listens to and kills; and the figures that come of it.
#pragma once

#include "support/children.hpp"
#include "support/marked.hpp"
#include "support/process.hpp"

#include <tq/types.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace tq::test {

// A process of the guard's, below this one: below a worker its guard, below that a keeper of commands. 0: there is none.
inline pid_t guard_below(pid_t parent) {
  for (const pid_t child : children_of(parent)) {
    std::string name;
    std::getline(std::ifstream("/proc/" + std::to_string(child) + "/comm") >> std::ws, name);
    if (name == "tq-guard") return child;
  }
  return 0;
}

// One of them, with what it has said.
class Member {
 public:
  Member(std::vector<std::string> arguments, const Marked& marked) : arguments_(std::move(arguments)), marked_(marked) {
    begin();
  }

  void begin() {
    process_ = std::make_unique<Process>(arguments_, std::vector{marked_.variable()});
    ::fcntl(process_->output(), F_SETPIPE_SZ, 1 << 20);  // it must not wait for its reader
    said_.clear();
    worker_ = 0;
  }

  const std::string& role() const { return arguments_.at(2); }
  bool is_worker() const { return role() == "worker"; }
  Process& process() { return *process_; }
  // When it said something, in order.
  const std::vector<std::int64_t>& said() const { return said_; }
  WorkerId worker() const { return worker_; }
  bool is_ready() const { return said_.size() > 3 && (!is_worker() || worker_ != 0); }
  std::set<JobId>& acknowledged() { return acknowledged_; }

  void take_lines() {
    while (const auto line = process_->take_line()) take(*line);
  }
  // What it said before it died.
  void take_rest() {
    while (process_->read_some()) {
    }
    take_lines();
  }

 private:
  void take(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    std::int64_t time = 0;
    words >> verb >> time;
    said_.push_back(time);
    if (verb == "worker") words >> worker_;
    if (verb != "ack") return;
    for (JobId id = 0; words >> id;)
      BOOST_TEST(acknowledged_.insert(id).second, "job " << id << " was given out twice");
  }

  const std::vector<std::string> arguments_;
  const Marked& marked_;
  std::unique_ptr<Process> process_;
  std::vector<std::int64_t> said_;
  WorkerId worker_ = 0;
  std::set<JobId> acknowledged_;
};

struct Figures {
  std::vector<std::int64_t> values;  // ns

  void add(const Figures& others) { values.insert(values.end(), others.values.begin(), others.values.end()); }

  std::size_t above(std::int64_t limit) const {
    return static_cast<std::size_t>(std::count_if(values.begin(), values.end(), [&](auto ns) { return ns > limit; }));
  }

  // "0.3 ms": what this share of them does not exceed.
  std::string ms(double share) {
    if (values.empty()) return "no time";
    std::sort(values.begin(), values.end());
    const auto index = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
    std::ostringstream text;
    text << std::round(static_cast<double>(values[index]) / 1e5) / 10 << " ms";
    return text.str();
  }

  std::string text() {
    return "p50 " + ms(0.5) + ", p99 " + ms(0.99) + ", max " + ms(1) + " of " + std::to_string(values.size());
  }
};

}  // namespace tq::test
