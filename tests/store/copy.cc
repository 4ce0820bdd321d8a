#include "store/copy.hpp"

#include "base/failpoint.hpp"
#include "damage.hpp"
#include "store/blob_record.hpp"
#include "store/making.hpp"
#include "store_test.hpp"
#include "support/random.hpp"

#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <thread>
#include <vector>

namespace tq::store {
namespace {

constexpr std::array kTrees = {Tree::catalog, Tree::jobs, Tree::index, Tree::events, Tree::logs, Tree::blobs};

using Records = std::map<std::pair<Tree, std::string>, std::string>;

// All but how far the intake has been taken in, which is no matter of a copy.
Records records_of(const Transaction& txn) {
  Records records;
  for (const Tree tree : kTrees) {
    visit_tree(txn, tree, [&](std::string_view key, std::optional<std::string_view> value, std::string_view) {
      BOOST_REQUIRE(value);
      if (tree != Tree::catalog || key != intake_key()) records[{tree, std::string(key)}] = *value;
    });
  }
  return records;
}

std::optional<std::string> as_it_is(Tree, std::string_view, std::string_view) { return std::nullopt; }

struct CopyTest : StoreTest {
  const std::string copy = directory / "copy.tq";
  std::shared_ptr<Environment> store = open();

  ~CopyTest() { base::failpoint::arm(""); }

  std::uint64_t make_copy(const std::string& to, const Alter& alter = as_it_is, const Progress& progress = {}) const {
    std::uint64_t count = 0;
    make_store(to, [&](Environment& made) { count = copy_records(*store, made, alter, progress); });
    return count;
  }
  std::shared_ptr<Environment> open_copy() const { return Environment::open(copy, {.create = false}); }

  void put_one_blob(JobId job, BlobKind kind, std::string bytes) const {
    PreparedBlob blob(*store, std::move(bytes));
    WriteTransaction txn = store->write();
    put_blob(txn, job, kind, std::move(blob));
    txn.commit();
  }
  // Records in all trees, and a blob of each form.
  void fill() const {
    test::Random random;
    WriteTransaction txn = store->write();
    for (const Tree tree : kTrees) {
      if (tree == Tree::blobs) continue;
      for (std::uint8_t i = 0; i < 100; ++i) {
        std::string key{'\x7f', static_cast<char>(i)};
        txn.put(tree, key + random.bytes(20), random.bytes(i % 10 == 0 ? 5000 : 100));
      }
    }
    txn.commit();
    put_one_blob(1, BlobKind::payload, random.bytes(1000));
    put_one_blob(1, BlobKind::result, std::string(30'000, 'r'));
    put_one_blob(1, BlobKind::saved, std::string(200'000, 's'));
    put_one_blob(2, BlobKind::payload, std::string(100'000, 'p'));
  }
  std::vector<std::string> side_files(const std::string& of) const {
    std::vector<std::string> names;
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(of + "-blobs", missing)) {
      names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  template <class Key>
  void rot_one(const Key& key) const {
    WriteTransaction txn = store->write();
    rot(txn, key);
    txn.commit();
  }
  // Nothing that could be taken for a store.
  bool nothing_is_left() const { return !exists(copy) && !exists(copy + "-new"); }
};

BOOST_FIXTURE_TEST_SUITE(copy_, CopyTest)

BOOST_AUTO_TEST_CASE(a_copy_has_the_same_records_and_side_files) {
  fill();
  const Records records = records_of(store->read());
  BOOST_TEST(make_copy(copy) == records.size());
  const auto made = open_copy();
  BOOST_TEST((records_of(made->read()) == records));
  BOOST_TEST((made->uuid() == store->uuid()));
  BOOST_TEST(side_files(path).size() == 2u);
  BOOST_TEST(side_files(copy) == side_files(path), boost::test_tools::per_element());
  for (const std::string& name : side_files(path)) {
    BOOST_TEST((read_file(path + "-blobs/" + name) == read_file(copy + "-blobs/" + name)));
  }
  BOOST_TEST((get_blob(made->read(), 1, BlobKind::saved) == std::string(200'000, 's')));
  check_blobs(
      made->read(), true, [](const std::string& problem) { BOOST_ERROR(problem); }, [](JobId, BlobKind) {});
  BOOST_TEST((records_of(store->read()) == records));
}

BOOST_AUTO_TEST_CASE(a_copy_of_an_empty_store_is_an_empty_store) {
  BOOST_TEST(make_copy(copy) == 1u);  // the format record
  BOOST_TEST((records_of(open_copy()->read()) == records_of(store->read())));
  BOOST_TEST(!exists(copy + "-blobs"));
}

BOOST_AUTO_TEST_CASE(a_store_in_memory_can_be_copied_to_a_file) {
  store = Environment::open(":memory:", {});
  put_row(*store, 1, "one");
  put_one_blob(1, BlobKind::payload, std::string(100'000, 'p'));
  make_copy(copy);
  BOOST_TEST(get_row(*open_copy(), 1).value() == "one");
  BOOST_TEST((get_blob(open_copy()->read(), 1, BlobKind::payload) == std::string(100'000, 'p')));
}

BOOST_AUTO_TEST_CASE(a_copy_has_no_free_pages) {
  for (std::uint64_t id = 1; id <= 2000; ++id) {
    WriteTransaction txn = store->write();
    put(txn, Row{id}, std::string(2000, 'x'));
    txn.commit(Sync::relaxed);
  }
  WriteTransaction txn = store->write();
  for (std::uint64_t id = 1; id <= 1900; ++id) erase(txn, Row{id});
  txn.commit();
  make_copy(copy);
  BOOST_TEST(std::filesystem::file_size(copy) < std::filesystem::file_size(path) / 4);
}

BOOST_AUTO_TEST_CASE(values_may_be_altered_on_the_way) {
  put_row(*store, 1, "one");
  put_row(*store, 2, "two");
  make_copy(copy, [](Tree tree, std::string_view key, std::string_view value) -> std::optional<std::string> {
    if (tree != Tree::jobs || key != std::string_view(encode_key(Row{2}))) return std::nullopt;
    return std::string(value) + " and a half";
  });
  BOOST_TEST(get_row(*open_copy(), 1).value() == "one");
  BOOST_TEST(get_row(*open_copy(), 2).value() == "two and a half");
  BOOST_TEST(get_row(*store, 2).value() == "two");
}

BOOST_AUTO_TEST_CASE(the_record_of_the_intake_is_not_in_it) {
  put_row(*store, 1, "one");
  store->add_to_intake("taken");
  WriteTransaction txn = store->write();
  txn.take_in(0, 1, [](std::uint64_t, std::string_view) {});
  txn.commit();
  store->add_to_intake("pending");
  const Records records = records_of(store->read());
  BOOST_TEST(make_copy(copy) == records.size());
  const auto made = open_copy();
  std::string_view value;
  BOOST_TEST(!made->read().get(Tree::catalog, intake_key(), value));
  BOOST_TEST((records_of(made->read()) == records));
  BOOST_TEST(!exists(copy + "-intake"));
  BOOST_TEST(made->add_to_intake("its own").number == 1u);
}

BOOST_AUTO_TEST_CASE(a_damaged_record_is_named_and_leaves_no_store) {
  fill();
  put_row(*store, 4711, "one");
  rot_one(Row{4711});
  BOOST_TEST(throws<Damaged>([&] { make_copy(copy); }, "of job 4711 in the tree 'jobs' does not match its checksum"));
  BOOST_TEST(nothing_is_left());
  put_row(*store, 4711, "one");
  make_copy(copy);  // what the first attempt left is no hindrance
  BOOST_TEST((records_of(open_copy()->read()) == records_of(store->read())));
}

BOOST_AUTO_TEST_CASE(a_damaged_blob_of_any_form_is_found) {
  for (const std::size_t size : {1000u, 30'000u, 100'000u}) {
    put_one_blob(7, BlobKind::payload, std::string(size, 'p'));
    rot_one(make_blob_key(7, BlobKind::payload));
    BOOST_TEST(throws<Damaged>([&] { make_copy(copy); }, "of job 7"), size);
    BOOST_TEST(nothing_is_left());
    WriteTransaction txn = store->write();
    erase(txn, make_blob_key(7, BlobKind::payload));
    txn.commit();
  }
  put_one_blob(7, BlobKind::payload, std::string(30'000, 'p'));
  rot_one(make_chunk_key(7, BlobKind::payload, 3));
  BOOST_TEST(throws<Damaged>([&] { make_copy(copy); }, "of job 7"));
  BOOST_TEST(nothing_is_left());
}

BOOST_AUTO_TEST_CASE(a_side_file_that_is_damaged_or_missing_is_found) {
  put_one_blob(7, BlobKind::payload, std::string(100'000, 'p'));
  const std::string file = path + "-blobs/" + side_files(path).at(0);
  std::string bytes = read_file(file);
  bytes[5000] = 'q';
  write_file(file, bytes);
  BOOST_TEST(throws<Damaged>([&] { make_copy(copy); }, "the payload of job 7 does not match its checksum"));
  BOOST_TEST(nothing_is_left());
  std::filesystem::remove(file);
  BOOST_TEST(throws<Damaged>([&] { make_copy(copy); }, "the payload of job 7 lacks its file"));
  BOOST_TEST(nothing_is_left());
}

BOOST_AUTO_TEST_CASE(what_an_attempt_that_was_killed_has_left_is_removed) {
  fill();
  std::filesystem::create_directory(copy + "-blobs");
  write_file(copy + "-blobs/0123456789abcdef", "half of a blo");
  write_file(copy + "-blobs/" + side_files(path).at(0), "half of a blo");
  make_copy(copy);
  BOOST_TEST(side_files(copy) == side_files(path), boost::test_tools::per_element());
  BOOST_TEST((get_blob(open_copy()->read(), 2, BlobKind::payload) == std::string(100'000, 'p')));
}

BOOST_AUTO_TEST_CASE(a_failure_or_a_death_while_side_files_are_copied_leaves_no_store) {
  fill();
  for (const std::string action : {"=error", "=full", "=error@2"}) {
    base::failpoint::arm("store.blob.copied" + action);
    BOOST_TEST(throws<IoError>([&] { make_copy(copy); }, copy), action);
    base::failpoint::arm("");
    BOOST_TEST(nothing_is_left(), action);
  }
  store.reset();
  const int status = in_child([&] {
    const auto from = open();
    base::failpoint::arm("store.blob.copied=exit@2");
    make_store(copy, [&](Environment& made) { copy_records(*from, made, as_it_is, {}); });
  });
  BOOST_TEST(status == 137);
  BOOST_TEST(!exists(copy));
  store = open();
  make_copy(copy);
  BOOST_TEST((records_of(open_copy()->read()) == records_of(store->read())));
  BOOST_TEST(side_files(copy) == side_files(path), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(progress_is_told_and_comes_to_its_end) {
  WriteTransaction txn = store->write();
  for (std::uint64_t id = 1; id <= 3500; ++id) put(txn, Row{id}, "x");
  txn.commit();
  std::vector<std::uint64_t> told;
  make_copy(copy, as_it_is, [&](std::uint64_t done, std::uint64_t all) {
    BOOST_TEST(all == 3501u);
    told.push_back(done);
  });
  BOOST_TEST(told == (std::vector<std::uint64_t>{1000, 2000, 3000, 3501}), boost::test_tools::per_element());
}

// Each state has as many rows as blobs: a copy has so, too, whatever comes and goes meanwhile.
BOOST_AUTO_TEST_CASE(a_copy_is_one_state_while_others_add_and_remove_large_blobs) {
  const auto bytes_of = [](std::uint64_t id) { return std::string(70'000, static_cast<char>('a' + id % 26)); };
  std::atomic<bool> is_over = false;
  std::atomic<std::uint64_t> written = 0;
  std::thread writer([&] {
    for (std::uint64_t id = 1; !is_over; ++id) {
      PreparedBlob blob(*store, bytes_of(id));
      WriteTransaction txn = store->write();
      put(txn, Row{id}, "x");
      put_blob(txn, id, BlobKind::payload, std::move(blob));
      if (id > 8) {
        erase(txn, Row{id - 8});
        erase_blob(txn, id - 8, BlobKind::payload);
      }
      txn.commit();
      written = id;
    }
  });
  while (written < 8) std::this_thread::yield();
  for (int round = 0; round < 10; ++round) {
    const std::string to = directory / ("copy-" + std::to_string(round));
    make_copy(to);
    const auto made = Environment::open(to, {.create = false});
    const ReadTransaction txn = made->read();
    std::size_t rows = 0;
    Cursor<Row> cursor(txn);
    for (bool more = cursor.first(); more; more = cursor.next(), ++rows) {
      const std::uint64_t id = cursor.key().id;
      BOOST_TEST((get_blob(txn, id, BlobKind::payload) == bytes_of(id)));
    }
    BOOST_TEST(rows == 8u);
    BOOST_TEST(side_files(to).size() == 8u);
    std::size_t blobs = 0;
    check_blobs(
        txn, true, [](const std::string& problem) { BOOST_ERROR(problem); }, [&](JobId, BlobKind) { ++blobs; });
    BOOST_TEST(blobs == 8u);
  }
  is_over = true;
  writer.join();
}

BOOST_AUTO_TEST_CASE(a_damaged_record_is_visited_with_its_bytes_and_without_a_value) {
  put_row(*store, 1, "one");
  put_row(*store, 2, "two");
  rot_one(Row{1});
  const ReadTransaction txn = store->read();
  BOOST_TEST(count_records(txn, Tree::jobs) == 2u);
  std::vector<std::string> seen;
  visit_tree(txn, Tree::jobs,
             [&](std::string_view key, std::optional<std::string_view> value, std::string_view stored) {
               BOOST_TEST((stored == stored_bytes(txn, Tree::jobs, key)));
               seen.emplace_back(value.value_or("damaged"));
             });
  BOOST_TEST(seen == (std::vector<std::string>{"damaged", "two"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
