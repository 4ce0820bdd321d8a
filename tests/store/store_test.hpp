// What the tests of the store share: a directory with a store, a table, and looking at files from outside.
#pragma once

#include "process.hpp"
#include "store/environment.hpp"
#include "store/table.hpp"
#include "store/transaction.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/stat.h>

namespace tq::store {

using test::Child;
using test::ensure;
using test::in_child;
using test::Signal;
using test::TempDir;

// The table that the tests write to.
struct Row {
  static constexpr Tree kTree = Tree::jobs;
  static constexpr std::uint8_t kKind = 1;
  std::uint64_t id;
  static constexpr auto fields(auto& self) { return std::tie(self.id); }
  bool operator==(const Row&) const = default;
};

inline void put_row(Environment& store, std::uint64_t id, std::string_view value, Sync sync = Sync::full) {
  WriteTransaction txn = store.write();
  put(txn, Row{id}, value);
  txn.commit(sync);
}

inline std::optional<std::string> get_row(Environment& store, std::uint64_t id) {
  const ReadTransaction txn = store.read();
  const std::optional<std::string_view> value = get(txn, Row{id});
  return value ? std::optional<std::string>(*value) : std::nullopt;
}

inline std::string read_file(const std::string& path) {
  return base::read_all(base::open_file(path, O_RDONLY).get(), path);
}

inline void write_file(const std::string& path, std::string_view bytes) {
  base::write_all(base::open_file(path, O_WRONLY | O_CREAT | O_TRUNC).get(), bytes, path);
}

inline bool exists(const std::string& path) {
  struct stat status {};
  return ::lstat(path.c_str(), &status) == 0;
}

inline unsigned mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777 : 0;
}

// True if `action` throws an Exception whose text holds `part`; says what it threw otherwise.
template <class Exception, class Action>
boost::test_tools::predicate_result throws(Action&& action, std::string_view part) {
  boost::test_tools::predicate_result result(false);
  try {
    action();
  } catch (const Exception& error) {
    if (std::string_view(error.what()).find(part) != std::string_view::npos) return true;
    result.message() << "threw: " << error.what();
    return result;
  } catch (const std::exception& error) {
    result.message() << "threw another kind: " << error.what();
    return result;
  }
  result.message() << "threw nothing";
  return result;
}

struct StoreTest {
  TempDir directory;
  std::string path = directory / "jobs.tq";

  std::shared_ptr<Environment> open(const EnvironmentOptions& options = {}) const {
    return Environment::open(path, options);
  }
  std::string side(const std::string& suffix) const { return path + suffix; }
};

}  // namespace tq::store
