#include "store/table.hpp"

#include "store_test.hpp"
#include "support/random.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace tq::store {
namespace {

// One field of every kind of number that keys are made of.
struct Mixed {
  [[maybe_unused]] static constexpr Tree kTree = Tree::index;
  static constexpr std::uint8_t kKind = 7;
  std::int64_t due;
  std::uint32_t queue;
  std::int32_t rank;
  std::uint8_t state;
  static constexpr auto fields(auto& self) { return std::tie(self.due, self.queue, self.rank, self.state); }
  auto operator<=>(const Mixed&) const = default;
};

struct Nothing {
  [[maybe_unused]] static constexpr Tree kTree = Tree::catalog;
  static constexpr std::uint8_t kKind = 9;
  static constexpr auto fields(auto&) { return std::tuple<>(); }
};

struct TableTest {
  std::shared_ptr<Environment> store = Environment::open(":memory:", {});

  // Keys of kinds 4, 5 and 6; `keys` are those of kind 5, each followed by itself as its value.
  void fill(const std::vector<std::string>& keys) {
    WriteTransaction txn = store->write();
    for (const std::string kind : {"\x04", "\x06"}) {
      for (const std::string rest : {"", "a", "z"}) txn.put(Tree::index, kind + rest, "of another kind");
    }
    for (const std::string& key : keys) txn.put(Tree::index, "\x05" + key, key);
    txn.commit();
  }
};

std::string at(const RawCursor& cursor) { return std::string(cursor.key().substr(1)); }

BOOST_FIXTURE_TEST_SUITE(table, TableTest)

BOOST_AUTO_TEST_CASE(a_key_is_its_kind_and_its_fields_big_endian) {
  const std::string key(encode_key(Row{0x0102030405060708}));
  BOOST_TEST(key == "\x01\x01\x02\x03\x04\x05\x06\x07\x08");
  BOOST_TEST(std::string_view(encode_key(Nothing{})) == "\x09");
  const std::string mixed(encode_key(Mixed{.due = -1, .queue = 2, .rank = 0, .state = 3}));
  BOOST_TEST((mixed == std::string("\x07\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\x02\x80\0\0\0\x03", 18)));
}

BOOST_AUTO_TEST_CASE(keys_sort_as_their_fields_do_and_come_back) {
  test::Random random;
  const auto make = [&] {
    return Mixed{random.any<std::int64_t>(), random.any<std::uint32_t>(), random.any<std::int32_t>(),
                 random.any<std::uint8_t>()};
  };
  for (int i = 0; i < 10'000; ++i) {
    const Mixed a = make();
    const Mixed b = make();
    BOOST_REQUIRE((a < b) == (std::string_view(encode_key(a)) < std::string_view(encode_key(b))));
    BOOST_REQUIRE((decode_key<Mixed>(encode_key(a)) == a));
  }
}

BOOST_AUTO_TEST_CASE(bytes_that_are_no_such_key_are_damage) {
  const std::string key(encode_key(Row{1}));
  BOOST_CHECK_THROW(decode_key<Row>(key.substr(1)), Damaged);
  BOOST_CHECK_THROW(decode_key<Row>(key.substr(0, 8)), Damaged);
  BOOST_CHECK_THROW(decode_key<Row>(key + "x"), Damaged);
  BOOST_CHECK_THROW(decode_key<Row>(""), Damaged);
  BOOST_CHECK_THROW(decode_key<Mixed>(key), Damaged);
}

BOOST_AUTO_TEST_CASE(a_cursor_walks_its_kind_both_ways_and_stays_within) {
  fill({"b", "d", "f"});
  const ReadTransaction txn = store->read();
  RawCursor cursor(txn, Tree::index, 5);
  std::string way;
  for (bool more = cursor.first(); more; more = cursor.next()) way += at(cursor) + std::string(cursor.value());
  BOOST_TEST(way == "bbddff");
  way.clear();
  for (bool more = cursor.last(); more; more = cursor.prev()) way += at(cursor);
  BOOST_TEST(way == "fdb");
}

BOOST_AUTO_TEST_CASE(seek_leads_to_the_first_that_is_not_less) {
  fill({"b", "d", "f"});
  const ReadTransaction txn = store->read();
  RawCursor cursor(txn, Tree::index, 5);
  for (const auto& [wanted, found] :
       std::map<std::string, std::string>{{"", "b"}, {"b", "b"}, {"c", "d"}, {"f", "f"}}) {
    BOOST_TEST(cursor.seek("\x05" + wanted));
    BOOST_TEST(at(cursor) == found);
  }
  BOOST_TEST(!cursor.seek("\x05g"));
  BOOST_TEST(!cursor.seek("\x04"));  // there is one, but not of this kind
}

BOOST_AUTO_TEST_CASE(seek_back_leads_to_the_last_that_is_not_greater) {
  fill({"b", "d", "f"});
  const ReadTransaction txn = store->read();
  RawCursor cursor(txn, Tree::index, 5);
  for (const auto& [wanted, found] :
       std::map<std::string, std::string>{{"b", "b"}, {"c", "b"}, {"f", "f"}, {"g", "f"}}) {
    BOOST_TEST(cursor.seek_back("\x05" + wanted));
    BOOST_TEST(at(cursor) == found);
  }
  BOOST_TEST(!cursor.seek_back("\x05"));
  BOOST_TEST(
      !cursor.seek_back("\x05"
                        "a"));
}

BOOST_AUTO_TEST_CASE(a_cursor_over_no_keys_finds_none) {
  fill({});
  const ReadTransaction txn = store->read();
  for (const std::uint8_t kind : {std::uint8_t{1}, std::uint8_t{5}, std::uint8_t{7}, std::uint8_t{255}}) {
    RawCursor cursor(txn, Tree::index, kind);
    BOOST_TEST(!cursor.first());
    BOOST_TEST(!cursor.last());
    BOOST_TEST(!cursor.next());
    BOOST_TEST(!cursor.prev());
    const std::string key(1, static_cast<char>(kind));
    BOOST_TEST(!cursor.seek(key));
    BOOST_TEST(!cursor.seek_back(key + "z"));
  }
  RawCursor empty(txn, Tree::logs, 1);
  BOOST_TEST((!empty.first() && !empty.last() && !empty.seek("\x01") && !empty.seek_back("\x01")));
}

BOOST_AUTO_TEST_CASE(the_highest_kind_has_a_last_key_too) {
  WriteTransaction txn = store->write();
  txn.put(Tree::index,
          "\xff"
          "a",
          "");
  txn.put(Tree::index,
          "\xff"
          "b",
          "");
  txn.put(Tree::index,
          "\xfe"
          "z",
          "");
  RawCursor cursor(txn, Tree::index, 0xff);
  BOOST_TEST(cursor.last());
  BOOST_TEST(at(cursor) == "b");
  BOOST_TEST(cursor.seek_back("\xff\xff"));
  BOOST_TEST(at(cursor) == "b");
  BOOST_TEST(cursor.first());
  BOOST_TEST(at(cursor) == "a");
}

BOOST_AUTO_TEST_CASE(a_cursor_that_has_left_its_kind_goes_nowhere_until_it_seeks) {
  fill({"b"});
  const ReadTransaction txn = store->read();
  RawCursor cursor(txn, Tree::index, 5);
  BOOST_TEST(!cursor.next());  // it has not been anywhere yet
  for (const auto leave : {&RawCursor::next, &RawCursor::prev}) {
    BOOST_TEST(cursor.first());
    BOOST_TEST(!(cursor.*leave)());
    BOOST_TEST(!cursor.next());
    BOOST_TEST(!cursor.prev());
  }
  BOOST_TEST(cursor.first());
}

BOOST_AUTO_TEST_CASE(a_cursor_agrees_with_a_sorted_map_on_random_keys) {
  test::Random random;
  std::map<std::string, std::string> model;
  {
    WriteTransaction txn = store->write();
    for (int i = 0; i < 3000; ++i) {
      const std::string key = "\x05" + random.bytes(3);
      const std::string value = random.bytes(300);
      if (random.chance(30)) {
        BOOST_REQUIRE(txn.erase(Tree::index, key) == (model.erase(key) == 1));
      } else {
        txn.put(Tree::index, key, value);
        model[key] = value;
      }
    }
    txn.commit();
  }
  const ReadTransaction txn = store->read();
  RawCursor cursor(txn, Tree::index, 5);
  auto expected = model.begin();
  for (bool more = cursor.first(); more; more = cursor.next(), ++expected) {
    BOOST_REQUIRE((cursor.key() == expected->first && cursor.value() == expected->second));
  }
  BOOST_TEST((expected == model.end()));
  for (int i = 0; i < 3000; ++i) {
    const std::string key = "\x05" + random.bytes(3);
    const auto above = model.lower_bound(key);
    BOOST_REQUIRE(cursor.seek(key) == (above != model.end()));
    if (above != model.end()) BOOST_REQUIRE((cursor.key() == above->first));
    const auto beyond = model.upper_bound(key);
    BOOST_REQUIRE(cursor.seek_back(key) == (beyond != model.begin()));
    if (beyond != model.begin()) BOOST_REQUIRE((cursor.key() == std::prev(beyond)->first));
  }
}

BOOST_AUTO_TEST_CASE(typed_cursors_give_typed_keys) {
  WriteTransaction txn = store->write();
  for (const std::uint64_t id : {3u, 1u, 2u}) put(txn, Row{id}, std::to_string(id));
  Cursor<Row> cursor(txn);
  BOOST_TEST(cursor.first());
  BOOST_TEST(cursor.key().id == 1u);
  BOOST_TEST(cursor.seek(Row{2}));
  BOOST_TEST(cursor.value() == "2");
  BOOST_TEST(cursor.seek_back(Row{99}));
  BOOST_TEST(cursor.key().id == 3u);
}

BOOST_AUTO_TEST_CASE(a_cursor_may_seek_again_after_changes_in_its_transaction) {
  WriteTransaction txn = store->write();
  for (std::uint64_t id = 0; id < 1000; ++id) put(txn, Row{id}, std::string(100, 'x'));
  Cursor<Row> cursor(txn);
  std::uint64_t erased = 0;
  while (cursor.first()) {
    BOOST_REQUIRE(erase(txn, cursor.key()));
    ++erased;
  }
  BOOST_TEST(erased == 1000u);
}

BOOST_AUTO_TEST_CASE(a_cursor_may_outlive_its_transaction_but_not_move) {
  std::optional<Cursor<Row>> of_reader;
  std::optional<Cursor<Row>> of_writer;
  {
    WriteTransaction txn = store->write();
    put(txn, Row{1}, "one");
    of_writer.emplace(txn);
    BOOST_TEST(of_writer->first());
    txn.commit();
  }
  {
    const ReadTransaction txn = store->read();
    of_reader.emplace(txn);
    BOOST_TEST(of_reader->first());
  }
  // Closing them twice would be seen by the sanitizers.
  of_reader.reset();
  of_writer.reset();
  BOOST_TEST(in_child([&] {
               ::close(STDERR_FILENO);
               const auto own = Environment::open(":memory:", {});
               std::optional<ReadTransaction> txn = own->read();
               Cursor<Row> cursor(*txn);
               txn.reset();
               cursor.first();
             }) == 128 + SIGABRT);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
