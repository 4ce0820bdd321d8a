#include "store/registry.hpp"

#include "store_test.hpp"
#include "support/failing_new.hpp"

#include <atomic>
#include <thread>

namespace tq::store {
namespace {

BOOST_FIXTURE_TEST_SUITE(registry_, StoreTest)

BOOST_AUTO_TEST_CASE(a_store_is_shared_while_it_is_open_and_opened_anew_after) {
  auto store = open();
  BOOST_TEST((open() == store));
  const std::weak_ptr<Environment> old = store;
  store.reset();
  BOOST_TEST(old.expired());
  BOOST_TEST((open() != nullptr));
}

BOOST_AUTO_TEST_CASE(a_store_that_is_being_closed_is_not_opened_before_it_is) {
  auto store = open();
  const FileId id = identify(std::filesystem::path(path)).value();
  std::atomic<bool> closed = false;
  std::thread opener;
  // The last owner goes away inside the registry's lock, as it does when a store is closed; the opener must wait.
  registry::close(FileId{0, 0}, [&] {
    opener = std::thread([&] {
      registry::find_or_open([&] { return id; },
                             [&](const registry::IsOpen& is_open) {
                               BOOST_TEST(!is_open(id));
                               BOOST_TEST(closed.load());
                               return std::pair(FileId{1, 1}, Environment::open(":memory:", {}));
                             });
    });
    closed = true;
  });
  store.reset();
  opener.join();
}

BOOST_AUTO_TEST_CASE(who_opens_is_asked_again_when_the_file_turns_out_to_be_open) {
  int asked = 0;
  const auto found =
      registry::find_or_open([&] { return std::nullopt; },
                             [&](const registry::IsOpen&) -> std::pair<FileId, std::shared_ptr<Environment>> {
                               if (++asked < 3) return {FileId{2, 2}, nullptr};
                               return {FileId{2, 2}, Environment::open(":memory:", {})};
                             });
  BOOST_TEST(asked == 3);
  BOOST_TEST((found != nullptr));
  registry::close(FileId{2, 2}, [] {});
}

// If it did, the store would have to be closed with the registry locked, for ever.
BOOST_AUTO_TEST_CASE(a_store_that_has_been_opened_takes_no_memory_to_be_known) {
  const auto found = registry::find_or_open([&] { return std::nullopt; },
                                            [&](const registry::IsOpen&) {
                                              auto opened = std::pair(FileId{3, 3}, Environment::open(":memory:", {}));
                                              test::failing_bytes = test::kAnyBytes;
                                              return opened;
                                            });
  test::failing_bytes = 0;
  BOOST_TEST((registry::find_or_open([] { return FileId{3, 3}; }, {}) == found));
  registry::close(FileId{3, 3}, [] {});
}

BOOST_AUTO_TEST_CASE(a_fork_while_another_thread_opens_leaves_the_child_able_to_open) {
  std::atomic<bool> stop = false;
  std::thread busy([&] {
    while (!stop) open();
  });
  for (int i = 0; i < 50; ++i) {
    const std::string own = directory / ("child" + std::to_string(i) + ".tq");
    BOOST_TEST(in_child([&] { put_row(*Environment::open(own, {}), 1, "one"); }) == 0);
  }
  stop = true;
  busy.join();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
