// What a process may be doing to a store when it dies: every way to a commit. Done by a process of its own (victim.cc), prepared
// and judged by the test.
#pragma once

#include <tq/task_queue.hpp>

#include <functional>
#include <string>
#include <vector>

namespace tq::test {

struct Verb {
  std::string name;
  // Makes the store on which it is done; nothing: there is none yet.
  std::function<void(TaskQueue&)> prepare;
  // Does it. Doing it again after a failure does the rest.
  std::function<void(TaskQueue&)> act;
  // Was it done? Throws if it was done by halves, or something else is wrong.
  std::function<bool(TaskQueue&)> is_done;
  // Does it make files that were not there: an intake, a store?
  bool makes_files = false;
};

const std::vector<Verb>& verbs();
const Verb& verb(const std::string& name);

}  // namespace tq::test
