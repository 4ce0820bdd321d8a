#include "cli/ids.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::cli {
namespace {

BOOST_AUTO_TEST_SUITE(cli_ids)

BOOST_AUTO_TEST_CASE(ids_are_numbers_and_ranges) {
  Ids ids;
  ids.add("5");
  BOOST_TEST(ids.only().value() == 5u);
  ids.add("7-9");
  BOOST_TEST(!ids.only());
  Ids range;
  range.add("3-3");
  BOOST_TEST(range.only().value() == 3u);
  for (const char* const bad : {"", "0", "-", "1-", "-1", "2-1", "0-3", "1--2", "18446744073709551616", "0x1"}) {
    BOOST_CHECK_THROW(ids.add(bad), InvalidArgument);
  }
}

BOOST_AUTO_TEST_CASE(ids_are_each_job_once_in_the_order_given) {
  TaskQueue store(":memory:");
  for (int i = 0; i < 2500; ++i) store.enqueue("t", {});
  store.purge("default");
  std::vector<JobSpec> more(2500, JobSpec{"t", {}, {}});
  store.enqueue_many(more);  // 2501 to 5000
  Ids ids;
  ids.add("9999");
  ids.add("2499-2502");
  ids.add("2502");
  BOOST_TEST(ids.in(store) == (std::vector<JobId>{9999, 2501, 2502}));
  Ids all;
  all.add("1-18446744073709551615");
  BOOST_TEST(all.in(store).size() == 2500u);
  BOOST_TEST(all.in(store).front() == 2501u);
  Ids none;
  none.add("1-2500");
  BOOST_CHECK_THROW(none.in(store), NotFound);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
