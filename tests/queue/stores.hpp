// Stores as an embedding program opens them. When a test ends, its store goes through a deep check.
#pragma once

#include "support/print.hpp"
#include "support/temp_dir.hpp"

#include <tq/task_queue.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <tuple>

namespace tq::test {

using namespace std::chrono_literals;

inline void check_clean(TaskQueue& queue) {
  for (const std::string& problem : queue.check(true).problems) BOOST_ERROR("check: " << problem);
}

// In a file of its own.
class FileStore {
 public:
  explicit FileStore(const OpenOptions& options = {}) : queue(path(), options) {}
  ~FileStore() { check_clean(queue); }

  std::string path() const { return dir / "jobs.tq"; }

  TempDir dir;
  TaskQueue queue;
};

// In memory.
class MemoryStore {
 public:
  explicit MemoryStore(const OpenOptions& options = {}) : queue(":memory:", options) {}
  ~MemoryStore() { check_clean(queue); }

  TaskQueue queue;
};

// For BOOST_AUTO_TEST_CASE_TEMPLATE: what holds for both.
using Stores = std::tuple<FileStore, MemoryStore>;

}  // namespace tq::test
