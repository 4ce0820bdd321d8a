#include "store/format.hpp"

#include "base/failpoint.hpp"
#include "store/lmdb.hpp"
#include "store_test.hpp"

namespace tq::store {
namespace {

void rename_rows(WriteTransaction& txn) {
  std::vector<std::pair<Row, std::string>> rows;
  {
    Cursor<Row> cursor(txn);
    for (bool more = cursor.first(); more; more = cursor.next()) rows.emplace_back(cursor.key(), cursor.value());
  }
  for (const auto& [key, value] : rows) put(txn, key, "2:" + value);
}
void add_row(WriteTransaction& txn) { put(txn, Row{100}, "added by 2 to 3"); }
void fail_half_way(WriteTransaction& txn) {
  put(txn, Row{1}, "half");
  throw std::runtime_error("half-way");
}

const Format kThird{3, {{2, "add a row", add_row}, {1, "rename the rows", rename_rows}}};

struct FormatTest : StoreTest {
  FormatTest() { put_row(*open(), 1, "one"); }
  std::string read_record() {
    const auto store = open();
    const ReadTransaction txn = store->read();
    std::string_view record;
    txn.get(Tree::catalog, format_key(), record);
    return std::string(record);
  }
  // In a store that does not say so to the one who opens it.
  void overwrite_record(std::string_view bytes) {
    const auto store = open();
    WriteTransaction txn = store->write();
    txn.put(Tree::catalog, format_key(), bytes);
    txn.commit();
  }
};

BOOST_FIXTURE_TEST_SUITE(format, FormatTest)

BOOST_AUTO_TEST_CASE(the_record_says_what_it_is_the_version_and_the_uuid) {
  const std::string record = read_record();
  BOOST_TEST((record == std::string("tqstore\0\x01\0\0\0", 12) + open()->uuid()));
}

BOOST_AUTO_TEST_CASE(an_older_store_is_brought_to_the_newest_format_step_by_step) {
  const std::string uuid = open()->uuid();
  const auto store = open({.format = &kThird});
  BOOST_TEST(get_row(*store, 1).value() == "2:one");
  BOOST_TEST(get_row(*store, 100).value() == "added by 2 to 3");
  BOOST_TEST(store->uuid() == uuid);
}

BOOST_AUTO_TEST_CASE(a_migration_happens_once) {
  open({.format = &kThird});
  BOOST_TEST(get_row(*open({.format = &kThird}), 1).value() == "2:one");
}

BOOST_AUTO_TEST_CASE(a_new_store_is_made_in_the_newest_format) {
  std::filesystem::remove(path);
  const auto store = open({.format = &kThird});
  BOOST_TEST(!get_row(*store, 1).has_value());
  store->write().commit();
}

BOOST_AUTO_TEST_CASE(after_a_migration_an_older_program_refuses_the_store_untouched) {
  open({.format = &kThird});
  const std::string before = read_file(path);
  BOOST_TEST(throws<Unsupported>([&] { open(); }, "it is in format 3, and this tq knows formats up to 1"));
  BOOST_TEST(throws<Unsupported>([&] { open(); }, path));
  BOOST_TEST((read_file(path) == before));
}

BOOST_AUTO_TEST_CASE(a_step_that_fails_leaves_the_store_in_the_older_format) {
  const Format failing{3, {{1, "rename the rows", rename_rows}, {2, "fail", fail_half_way}}};
  BOOST_CHECK_THROW(open({.format = &failing}), std::runtime_error);
  BOOST_TEST(get_row(*open(), 1).value() == "one");
  put_row(*open(), 1, "still written to");
}

BOOST_AUTO_TEST_CASE(a_death_in_a_migration_leaves_the_store_in_the_older_format) {
  const int status = in_child([&] {
    base::failpoint::arm("store.commit.before");
    open({.format = &kThird});
  });
  BOOST_TEST(status == 137);
  BOOST_TEST(get_row(*open(), 1).value() == "one");
}

BOOST_AUTO_TEST_CASE(a_missing_step_is_refused) {
  const Format gap{3, {{2, "add a row", add_row}}};
  BOOST_TEST(throws<Unsupported>([&] { open({.format = &gap}); }, "format 1, which this tq cannot bring to format 3"));
  BOOST_TEST(get_row(*open(), 1).value() == "one");
}

BOOST_AUTO_TEST_CASE(an_lmdb_file_that_is_no_store_is_refused) {
  overwrite_record("somebody else's record");
  const std::string before = read_file(path);
  BOOST_TEST(throws<Unsupported>([&] { open(); }, "an LMDB file, but not a tq store"));
  BOOST_TEST((read_file(path) == before));
  // Without any of our trees.
  const std::string other = directory / "other.mdb";
  MDB_env* env = nullptr;
  BOOST_REQUIRE(mdb_env_create(&env) == 0);
  BOOST_REQUIRE(mdb_env_open(env, other.c_str(), MDB_NOSUBDIR, 0600) == 0);
  mdb_env_close(env);
  BOOST_TEST(throws<Unsupported>([&] { Environment::open(other, {}); }, "an LMDB file, but not a tq store"));
}

BOOST_AUTO_TEST_CASE(a_record_that_is_cut_off_or_altered_is_damage) {
  BOOST_CHECK_THROW(decode_format(std::string("tqstore\0\x01\0\0\0short", 17), 1, path), Damaged);
  std::string bytes = read_file(path);
  for (std::size_t at = bytes.find("tqstore"); at != bytes.npos; at = bytes.find("tqstore", at + 1)) {
    bytes[at + 20] = static_cast<char>(bytes[at + 20] ^ 1);
  }
  write_file(path, bytes);
  BOOST_TEST(throws<Damaged>([&] { open(); }, "its format record is damaged"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
