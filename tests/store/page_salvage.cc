#include "store/page_salvage.hpp"

#include "store/checksum.hpp"
#include "store_test.hpp"
#include "support/random.hpp"

#include <set>

namespace tq::store {
namespace {

constexpr std::uint64_t kRows = 500;
constexpr std::size_t kPageBytes = 4096;

struct PageSalvageTest : StoreTest {
  std::string bytes;  // of the data file

  PageSalvageTest() {
    {
      const auto store = open();
      WriteTransaction txn = store->write();
      for (std::uint64_t id = 1; id <= kRows; ++id) put(txn, Row{id}, value(id));
      txn.commit();
    }
    bytes = read_file(path);
  }

  // Some are so large that they lie in pages of their own.
  static std::string value(std::uint64_t id) { return std::string(id % 50 == 0 ? 5000 : 90, static_cast<char>(id)); }

  // The rows that are found, each of which has to be as it was.
  std::set<std::uint64_t> salvage() const {
    write_file(path, bytes);
    std::set<std::uint64_t> rows;
    salvage_pages(path, [&](Tree tree, std::string_view key, std::string_view stored) {
      const auto whole = verified(key, stored);
      if (tree != Tree::jobs || !whole) return;
      const Row row = decode_key<Row>(key);
      BOOST_TEST((*whole == value(row.id)));
      BOOST_TEST(rows.insert(row.id).second);
    });
    return rows;
  }
  bool is_sound() const {
    write_file(path, bytes);
    return has_sound_pages(path);
  }
  void zero(std::size_t page) { bytes.replace(page * kPageBytes, kPageBytes, kPageBytes, '\0'); }
  // The page with that row: those of the table have their kind before the number.
  std::size_t page_of(std::uint64_t id) const {
    const std::size_t at = bytes.find(std::string_view(encode_key(Row{id})));
    BOOST_REQUIRE(at != bytes.npos);
    return at / kPageBytes;
  }
};

BOOST_FIXTURE_TEST_SUITE(page_salvage, PageSalvageTest)

BOOST_AUTO_TEST_CASE(all_of_a_sound_file_is_found) {
  BOOST_TEST(is_sound());
  BOOST_TEST(salvage().size() == kRows);
}

BOOST_AUTO_TEST_CASE(what_lay_in_a_page_that_is_lost_is_lost_and_all_else_is_found) {
  zero(page_of(100));
  BOOST_TEST(!is_sound());
  const auto rows = salvage();
  BOOST_TEST(!rows.contains(100));
  BOOST_TEST(rows.size() > kRows - 50);
}

BOOST_AUTO_TEST_CASE(a_newer_meta_page_that_is_lost_leaves_the_older_one) {
  { put_row(*open(), 1, value(1)); }
  bytes = read_file(path);
  for (std::size_t page : {1u, 0u}) {
    const std::string whole = bytes;
    // The tree of trees of that state begins nowhere.
    bytes.replace(page * kPageBytes + 128, 8, 8, '\x7f');
    if (!is_sound()) BOOST_TEST(salvage().size() + 1 >= kRows);
    bytes = whole;
  }
}

BOOST_AUTO_TEST_CASE(a_file_without_trees_is_refused) {
  for (std::size_t page = 2; page * kPageBytes < bytes.size(); ++page) zero(page);
  BOOST_TEST(throws<Damaged>([&] { salvage(); }, "none of its trees can be found"));
}

// Pages that name each other, or nothing, or themselves.
BOOST_AUTO_TEST_CASE(no_damage_makes_it_go_on_for_ever_or_find_what_never_was) {
  test::Random random;
  const std::string whole = bytes;
  for (int round = 0; round < 200; ++round) {
    for (std::uint64_t changes = random.below(20) + 1; changes > 0; --changes) {
      const std::size_t at = 2 * kPageBytes + random.below(whole.size() - 2 * kPageBytes);
      bytes[at] = static_cast<char>(random.number());
    }
    try {
      salvage();
    } catch (const Damaged&) {
    }
    bytes = whole;
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
