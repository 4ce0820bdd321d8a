// A store with something of everything in it, and what all reading verbs say of it.
#pragma once

#include "support/fake_clock.hpp"

#include <tq/task_queue.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tq::test {

// Jobs in all states that a store without a network has, several queues, output, saved states, payloads and results in every
// form, a history of removals, and jobs that still lie in the intake. `between` is called now and then, with nothing open.
// Returns the worker to whom the running jobs belong: its lock is nobody's any more.
WorkerId fill_store(const std::string& path, const std::function<void()>& between);

// One thing that can be asked of a store.
struct Question {
  std::string name;
  std::function<std::string(TaskQueue&)> ask;
};

// All that can be asked of these jobs, and of the store.
std::vector<Question> questions(JobId first, JobId last);

}  // namespace tq::test
