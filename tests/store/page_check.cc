#include "store/page_check.hpp"

#include "base/bytes.hpp"
#include "store_test.hpp"
#include "support/random.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace tq::store {
namespace {

constexpr std::uint64_t kRows = 300;

struct PageCheckTest : StoreTest {
  std::string bytes;  // of the data file

  // Branches and leaves, large values, and free pages.
  PageCheckTest() {
    const auto store = open();
    for (std::uint64_t from = 1; from <= kRows; from += 50) {
      WriteTransaction txn = store->write();
      for (std::uint64_t id = from; id < from + 50; ++id) put(txn, Row{id}, std::string(id % 25 == 0 ? 5000 : 90, 'x'));
      txn.commit();
    }
    WriteTransaction txn = store->write();
    for (std::uint64_t id = 20; id < 150; ++id) erase(txn, Row{id});
    txn.commit();
    bytes = read_file(path);
  }

  void write() const { write_file(path, bytes); }
  MetaPage newest() const {
    const base::Fd fd = base::open_file(path, O_RDONLY);
    const DataFile file(fd.get(), path);
    const MetaPage first = file.meta(0).value();
    const MetaPage second = file.meta(first.page_size()).value();
    return first.transaction > second.transaction ? first : second;
  }
  std::size_t newest_at() const { return newest().transaction % 2 * newest().page_size(); }
  std::string problems() const {
    write();
    const base::Fd fd = base::open_file(path, O_RDONLY);
    std::string all;
    for (const std::string& problem : page_problems(DataFile(fd.get(), path), newest())) all += problem + '\n';
    return all;
  }
  // Is one of the problems this?
  boost::test_tools::predicate_result tells(std::string_view part) const {
    const std::string all = problems();
    boost::test_tools::predicate_result result(all.find(part) != all.npos);
    result.message() << "says: " << all;
    return result;
  }

  template <class Number>
  Number get(std::size_t at) const {
    return base::ByteReader(std::string_view(bytes).substr(at)).le<Number>();
  }
  template <class Number>
  void set(std::size_t at, Number number) {
    std::string field;
    base::append_le(field, number);
    bytes.replace(at, field.size(), field);
  }

  // The record of the tree `jobs`, and where its root is.
  std::size_t jobs_record() const { return bytes.find("jobs", newest().main.root * 4096) + 4; }
  std::size_t jobs_root() const { return get<std::uint64_t>(jobs_record() + 40) * 4096; }
  // Where the n-th node of a page is.
  std::size_t node(std::size_t page, std::size_t n) const { return page + get<std::uint16_t>(page + 16 + 2 * n); }
  std::size_t child(std::size_t page, std::size_t n) const { return get<std::uint32_t>(node(page, n)) * 4096; }
  // A node that says that its value is elsewhere.
  std::size_t large_node() const {
    for (std::size_t n = 0;; ++n) {
      const std::size_t leaf = child(jobs_root(), n);
      const std::size_t count = (get<std::uint16_t>(leaf + 12) - 16u) / 2;
      for (std::size_t i = 0; i < count; ++i) {
        if (get<std::uint16_t>(node(leaf, i) + 4) == kElsewhere) return node(leaf, i);
      }
    }
  }
  std::size_t free_list() const { return node(newest().free.root * 4096, 0) + 16; }  // behind its head and its key
};

BOOST_FIXTURE_TEST_SUITE(page_check, PageCheckTest)

BOOST_AUTO_TEST_CASE(a_whole_store_has_no_problems) {
  BOOST_TEST(problems() == "");
  const auto store = open();
  BOOST_TEST(check_pages(*store).empty());
  BOOST_TEST(check_pages(*Environment::open(":memory:", {})).empty());
}

BOOST_AUTO_TEST_CASE(a_page_has_its_number_and_kind) {
  set<std::uint64_t>(child(jobs_root(), 1), 7);
  BOOST_TEST(tells("of the tree 'jobs': it is said to be page 7"));
  bytes = read_file(path);
  set<std::uint16_t>(jobs_root() + 10, kLeafPage);
  BOOST_TEST(tells("it is no branch"));
}

BOOST_AUTO_TEST_CASE(entries_lie_within_their_page_side_by_side) {
  const std::string whole = bytes;
  const std::size_t leaf = child(jobs_root(), 0);
  const auto lower = get<std::uint16_t>(leaf + 12);
  const auto first = get<std::uint16_t>(leaf + 16);  // where its first entry is
  const auto tells_of = [&](std::size_t at, std::uint16_t number, std::string_view part) {
    bytes = whole;
    set(at, number);
    BOOST_TEST(tells(part));
  };
  tells_of(leaf + 12, 4000, "its bounds cannot be");
  tells_of(leaf + 14, 4098, "its bounds cannot be");
  tells_of(leaf + 12, 16, "it has too few entries");
  tells_of(leaf + 16, 4094, "entry 0 does not lie within it");
  tells_of(leaf + 18, first, "its entries do not lie side by side");
  bytes = whole;
  tells_of(node(leaf, 0), 60000, "entry 0 does not lie within it");
  bytes = whole;
  tells_of(node(leaf, 1), 20, "its entries do not lie side by side");
  tells_of(leaf + 12, static_cast<std::uint16_t>(lower - 2), "do not lie side by side");
}

BOOST_AUTO_TEST_CASE(keys_are_in_order_within_what_the_branch_says) {
  const std::string whole = bytes;
  const std::size_t leaf = child(jobs_root(), 1);
  set<std::uint64_t>(node(leaf, 1) + 9, 0);
  BOOST_TEST(tells("key 1 is not in order"));
  bytes = whole;
  set<std::uint64_t>(node(leaf, 0) + 9, 0);
  BOOST_TEST(tells("less than the branch above says"));
  bytes = whole;
  set<std::uint64_t>(node(jobs_root(), 2) + 9, get<std::uint64_t>(node(leaf, 1) + 9));
  BOOST_TEST(tells("its last key is greater than the branch above says"));
}

BOOST_AUTO_TEST_CASE(trees_have_what_their_records_say) {
  const std::string whole = bytes;
  const std::size_t record = jobs_record();
  const auto tells_of = [&](std::size_t offset, auto number, std::string_view part) {
    bytes = whole;
    set(record + offset, number);
    BOOST_TEST(tells(part));
  };
  tells_of(4, std::uint16_t{4}, "the tree 'jobs' has the wrong flags");
  tells_of(6, std::uint16_t{1}, "it is no leaf");
  tells_of(6, std::uint16_t{3}, "it is no branch");
  tells_of(8, std::uint64_t{9}, "says that it has 9 branch pages, but there are 1");
  tells_of(16, std::uint64_t{9}, "9 leaf pages");
  tells_of(24, std::uint64_t{9}, "9 overflow pages");
  tells_of(32, std::uint64_t{9}, "9 entries");
  tells_of(40, std::uint64_t{9000}, "there is no such page");
  tells_of(40, newest().main.root, "it is used twice");
}

BOOST_AUTO_TEST_CASE(large_values_have_pages_of_their_own) {
  const std::string whole = bytes;
  const std::size_t at = large_node() + 17;  // behind its head and its key
  const std::size_t page = get<std::uint64_t>(at) * 4096;
  set<std::uint32_t>(page + 12, 1);
  BOOST_TEST(tells("it is not the 2 pages of a large value"));
  bytes = whole;
  set<std::uint64_t>(at, jobs_root() / 4096);
  BOOST_TEST(tells("a large value is not where an entry says"));
}

BOOST_AUTO_TEST_CASE(no_page_is_both_free_and_in_use_or_neither) {
  const std::string whole = bytes;
  const std::size_t list = free_list();
  const auto count = get<std::uint64_t>(list);
  BOOST_REQUIRE(count > 1u);
  set<std::uint64_t>(list, count - 1);
  BOOST_TEST(tells("1 pages are neither free nor in use"));
  bytes = whole;
  set<std::uint64_t>(list, 1u << 30);
  BOOST_TEST(tells("a list is shorter than it says"));
  bytes = whole;
  set<std::uint64_t>(list + 8, newest().last_page + 1);
  BOOST_TEST(tells("a list is not in order"));
  bytes = whole;
  std::uint64_t used = get<std::uint64_t>(list + 8);  // the greatest number
  while (used < newest().last_page && tells("is free and in use")) set(list + 8, ++used);
  set<std::uint64_t>(list + 8, jobs_root() / 4096);
  BOOST_TEST(!problems().empty());
}

BOOST_AUTO_TEST_CASE(what_every_opening_reads_is_refused_when_it_is_damaged) {
  const std::string whole = bytes;
  const auto refuses = [&](std::size_t at, auto number, std::string_view part) {
    bytes = whole;
    set(at, number);
    write();
    BOOST_TEST(throws<Damaged>([&] { open(); }, part));
    write_file(path, whole);
  };
  const std::size_t newer = newest_at();
  const std::size_t older = 4096 - newer;
  const std::uint64_t last = newest().transaction;
  refuses(older + 144, last + 1, "");  // it is shorter, too
  refuses(newer + 144, last + 1, "is of transaction");
  refuses(newer + 10, std::uint16_t{0}, "has a wrong head");
  refuses(newer + 40, std::uint32_t{512}, "");
  for (const std::uint32_t page_size : {0u, 8192u}) refuses(4096 + 40, page_size, "the second meta page is not");
  refuses(newer + 136, std::uint64_t{3}, "");
  refuses(newest().free.root * 4096 + 10, std::uint16_t{0}, "of the tree of free pages: it is no leaf");
  refuses(newest().main.root * 4096 + 10, std::uint16_t{0}, "of the tree of trees: it is no leaf");
  BOOST_TEST(get_row(*open(), 1).has_value());
}

BOOST_AUTO_TEST_CASE(a_commit_that_died_before_its_meta_page_is_no_damage) {
  for (int round = 0; round < 10; ++round) {
    const std::string before = read_file(path);
    {
      const auto store = open();
      WriteTransaction txn = store->write();
      put(txn, Row{1}, std::string(90, 'y'));
      txn.commit();
    }
    write_file(path, before.substr(0, 2 * 4096) + read_file(path).substr(2 * 4096));
    {
      const auto store = open();
      BOOST_TEST(get_row(*store, 1).has_value());
      BOOST_TEST(check_pages(*store).empty());
      WriteTransaction txn = store->write();
      put(txn, Row{2}, std::string(90, 'z'));
      txn.commit();
    }
  }
}

BOOST_AUTO_TEST_CASE(a_store_that_is_written_to_meanwhile_has_no_problems) {
  const auto store = open();
  test::Random random;
  for (int round = 0; round < 30; ++round) {
    WriteTransaction txn = store->write();
    for (int i = 0; i < 20; ++i) {
      const Row row{random.below(kRows)};
      if (random.chance(40)) {
        erase(txn, row);
      } else {
        put(txn, row, random.bytes(random.chance(10) ? 12'000 : 200));
      }
    }
    // What is being written is nobody's business.
    BOOST_TEST(check_pages(*store).empty());
    if (random.chance(80)) txn.commit(random.chance(50) ? Sync::relaxed : Sync::full);
    if (round % 5 == 0) BOOST_TEST(check_pages(*open()).empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
