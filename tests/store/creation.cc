#include "store/creation.hpp"

#include "base/failpoint.hpp"
#include "store_test.hpp"

#include <array>

namespace tq::store {
namespace {

// In the order in which they are reached.
constexpr std::array kSteps = {"store.create.begin", "store.create.written",   "store.create.synced",
                               "store.create.named", "store.create.directory", "store.create.end"};

BOOST_FIXTURE_TEST_SUITE(creation, StoreTest)

BOOST_AUTO_TEST_CASE(a_death_at_any_step_never_blocks_the_next_to_open) {
  for (const char* step : kSteps) {
    const int status = in_child([&] {
      base::failpoint::arm(step);
      open();
    });
    BOOST_TEST(status == 137, step);
    put_row(*open(), 1, "one");
    BOOST_TEST(get_row(*open(), 1).value() == "one", step);
    BOOST_TEST(!exists(side("-new")), step);
    BOOST_TEST(!exists(side("-new-lock")), step);
    for (const char* suffix : {"", "-lock", "-locks"}) std::filesystem::remove(side(suffix));
  }
}

BOOST_AUTO_TEST_CASE(nothing_of_that_name_is_seen_before_it_is_whole) {
  for (const char* step : {"store.create.begin", "store.create.written", "store.create.synced"}) {
    in_child([&] {
      base::failpoint::arm(step);
      open();
    });
    BOOST_TEST(!exists(path), step);
  }
}

BOOST_AUTO_TEST_CASE(a_failure_at_any_step_is_told_and_the_next_attempt_succeeds) {
  for (const std::string step : kSteps) {
    for (const std::string action : {"=error", "=full"}) {
      const int status = in_child([&] {
        base::failpoint::arm(step + action);
        ensure(bool(throws<IoError>([&] { open(); }, path)), "did not fail");
        base::failpoint::arm("");
        // Either there is no store and nothing of it, or there is one, with the name that tells that it may not be durable.
        ensure(exists(path) || !exists(side("-new")), "something is left");
        put_row(*open(), 1, "one");
      });
      BOOST_TEST(status == 0, step << action);
      for (const char* suffix : {"", "-lock", "-locks"}) std::filesystem::remove(side(suffix));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_second_name_tells_that_the_directory_has_to_be_synced_and_goes_with_that) {
  in_child([&] {
    base::failpoint::arm("store.create.named");
    open();
  });
  BOOST_TEST(std::filesystem::hard_link_count(path) == 2u);
  open();
  BOOST_TEST(std::filesystem::hard_link_count(path) == 1u);
}

BOOST_AUTO_TEST_CASE(a_hard_link_of_the_users_own_is_left_alone) {
  open();
  std::filesystem::create_hard_link(path, directory / "copy.tq");
  write_file(side("-new"), "mine");
  open();
  BOOST_TEST(std::filesystem::hard_link_count(path) == 2u);
  BOOST_TEST(read_file(side("-new")) == "mine");
}

BOOST_AUTO_TEST_CASE(two_processes_that_create_at_once_make_one_store) {
  for (int round = 0; round < 10; ++round) {
    Signal go;
    std::vector<Child> children;
    for (std::uint64_t i = 0; i < 2; ++i) {
      children.emplace_back([&, i] {
        go.wait();
        put_row(*open(), i, "x");
      });
    }
    go.raise();
    go.raise();
    for (Child& child : children) BOOST_TEST(child.wait() == 0);
    const auto store = open();
    BOOST_TEST((get_row(*store, 0).has_value() && get_row(*store, 1).has_value()));
    for (const char* suffix : {"", "-lock", "-locks"}) std::filesystem::remove(side(suffix));
  }
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_creator_that_dies_creates_the_store_itself) {
  Signal holding;
  Child creator([&] {
    LockFile locks(side("-locks"));
    locks.lock_write();
    write_file(side("-new"), "half of a sto");
    holding.raise();
    test::wait_for_ever();
  });
  holding.wait();
  Child next([&] { put_row(*open(), 1, "one"); });
  creator.kill();
  BOOST_TEST(next.wait() == 0);
  BOOST_TEST(get_row(*open(), 1).value() == "one");
}

BOOST_AUTO_TEST_CASE(the_lock_file_of_a_deleted_store_does_not_confuse_the_next) {
  { put_row(*open(), 1, "old"); }
  std::filesystem::remove(path);
  BOOST_TEST(exists(side("-lock")));
  BOOST_TEST(!get_row(*open(), 1).has_value());
  put_row(*open(), 1, "new");
  BOOST_TEST(get_row(*open(), 1).value() == "new");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
