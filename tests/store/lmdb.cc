#include "store/lmdb.hpp"

#include "store_test.hpp"

#include <new>

namespace tq::store {
namespace {

BOOST_AUTO_TEST_SUITE(lmdb)

template <class Exception>
boost::test_tools::predicate_result means(int code, std::string_view part) {
  const auto result = throws<Exception>([&] { throw_lmdb("cannot do it to 'jobs.tq'", code); }, part);
  if (!result) return result;
  return throws<Exception>([&] { throw_lmdb("cannot do it to 'jobs.tq'", code); }, "cannot do it to 'jobs.tq': ");
}

BOOST_AUTO_TEST_CASE(every_error_of_lmdb_is_one_of_ours) {
  BOOST_TEST(means<IoError>(EACCES, "Permission denied"));
  BOOST_TEST(means<DiskFull>(ENOSPC, "No space left"));
  BOOST_TEST(means<QueueFull>(MDB_MAP_FULL, "size that this process can map"));
  BOOST_TEST(means<StoreError>(MDB_MAP_RESIZED, "grown past"));
  BOOST_TEST(means<StoreError>(MDB_READERS_FULL, "reader slots"));
  BOOST_TEST(means<StoreError>(MDB_BAD_TXN, "earlier step"));
  BOOST_TEST(means<StoreError>(MDB_TXN_FULL, "too many changes"));
  BOOST_TEST(means<Damaged>(MDB_CORRUPTED, "MDB_CORRUPTED"));
  BOOST_TEST(means<Damaged>(MDB_PAGE_NOTFOUND, "MDB_PAGE_NOTFOUND"));
  BOOST_CHECK_THROW(throw_lmdb("x", ENOMEM), std::bad_alloc);
}

BOOST_AUTO_TEST_CASE(bytes_and_values_are_the_same_bytes) {
  const std::string_view bytes("a\0b", 3);
  BOOST_TEST((to_view(to_val(bytes)) == bytes));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
