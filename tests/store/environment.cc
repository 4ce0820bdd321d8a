#include "store/environment.hpp"

#include "store/environment_impl.hpp"
#include "store_test.hpp"

namespace tq::store {
namespace {

BOOST_FIXTURE_TEST_SUITE(environment, StoreTest)

unsigned flags_of(Environment& store) {
  unsigned flags = 0;
  mdb_env_get_flags(store.impl().env.get(), &flags);
  return flags;
}

BOOST_AUTO_TEST_CASE(a_store_on_disk_is_never_without_syncs_and_never_mapped_for_writing) {
  const auto store = open();
  put_row(*store, 1, "one", Sync::relaxed);
  BOOST_TEST((flags_of(*store) & (MDB_NOSYNC | MDB_WRITEMAP | MDB_MAPASYNC | MDB_NOLOCK)) == 0u);
  BOOST_TEST((flags_of(*store) & MDB_NOTLS) != 0u);
}

BOOST_AUTO_TEST_CASE(only_a_relaxed_commit_leaves_out_the_sync_of_the_meta_page) {
  const auto store = open();
  put_row(*store, 1, "one", Sync::relaxed);
  BOOST_TEST((flags_of(*store) & MDB_NOMETASYNC) != 0u);
  put_row(*store, 1, "two");
  BOOST_TEST((flags_of(*store) & MDB_NOMETASYNC) == 0u);
}

BOOST_AUTO_TEST_CASE(closing_and_opening_wait_for_the_writer_of_another_process) {
  open();
  Signal writing;
  Child writer([&] {
    const auto own = open();
    WriteTransaction txn = own->write();
    put(txn, Row{1}, "one");
    writing.raise();
    test::wait_for_ever();
  });
  writing.wait();
  Child opener([&] {
    open();
    ensure(false, "it did not wait");  // it dies while it waits
  });
  opener.kill();
  writer.kill();
  BOOST_TEST(!get_row(*open(), 1).has_value());
}

BOOST_AUTO_TEST_CASE(the_write_lock_is_free_after_an_opening_that_failed) {
  write_file(path, "not a store");
  BOOST_CHECK_THROW(open(), Unsupported);
  std::filesystem::remove(path);
  const Format newer{2, {}};
  { open(); }
  BOOST_CHECK_THROW(open({.format = &newer}), Unsupported);
  BOOST_TEST(in_child([&] { put_row(*open(), 1, "one"); }) == 0);
}

BOOST_AUTO_TEST_CASE(the_path_and_the_reason_are_in_the_text_of_a_failure) {
  BOOST_TEST(throws<NotFound>([&] { open({.create = false}); }, "there is no store at '" + path + "'"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
