// A file may be shorter than its meta pages say, if nothing that is missing is in use.
#include "store/data_file.hpp"

#include "store/environment_impl.hpp"
#include "store/room.hpp"
#include "store_test.hpp"

namespace tq::store {
namespace {

constexpr std::uint64_t kRows = 3000;

struct DataFileTest : StoreTest {
  // Takes pages at the end of the file and gives them back in the same transaction. LMDB writes none of these, if it holds
  // free pages of before by then: so something is given back before.
  void take_and_give_back() {
    const auto store = open();
    for (int i = 0; i < 3; ++i) put_row(*store, 1, "one");
    WriteTransaction txn = store->write();
    for (std::uint64_t id = kRows; id < kRows + 400; ++id) put(txn, Row{id}, std::string(9000, 'x'));
    for (std::uint64_t id = kRows; id < kRows + 400; ++id) erase(txn, Row{id});
    txn.commit();
  }
  // Has the tree of free pages hold a list that is longer than a page.
  void free_many() {
    const auto store = open();
    WriteTransaction txn = store->write();
    for (std::uint64_t id = 2; id < kRows; ++id) put(txn, Row{id}, std::string(1900, 'x'));
    txn.commit();
    WriteTransaction erasing = store->write();
    for (std::uint64_t id = 2; id < kRows; ++id) erase(erasing, Row{id});
    erasing.commit();
  }
  std::uint64_t size() { return read_file(path).size(); }
  std::uint64_t extent() { return extent_bytes(open()->impl().env.get()); }
  bool is_cut_off() {
    const base::Fd file = base::open_file(path, O_RDWR);
    return bool(throws<Damaged>([&] { refuse_cut_off(file.get(), path); }, "cut off"));
  }
  void cut(std::uint64_t bytes) { BOOST_REQUIRE(::truncate(path.c_str(), static_cast<off_t>(bytes)) == 0); }
};

BOOST_FIXTURE_TEST_SUITE(data_file, DataFileTest)

BOOST_AUTO_TEST_CASE(pages_that_are_free_may_be_missing) {
  take_and_give_back();
  BOOST_REQUIRE(size() < extent());
  BOOST_TEST(get_row(*open(), 1).value() == "one");
}

BOOST_AUTO_TEST_CASE(each_page_in_use_is_missed) {
  take_and_give_back();
  free_many();
  put_row(*open(), 1, "two");
  // The last bytes are cut off page by page, until something is missed: then the store would not open.
  std::uint64_t bytes = size();
  while (!is_cut_off()) cut(bytes -= 4096);
  BOOST_TEST(bytes >= 8192u);
  BOOST_TEST(throws<Damaged>([&] { open(); }, "cut off"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
