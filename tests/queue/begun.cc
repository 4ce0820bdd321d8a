#include "queue/begun.hpp"

#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <filesystem>

namespace tq {
namespace {

using test::TempDir;

BOOST_AUTO_TEST_SUITE(begun)

BOOST_AUTO_TEST_CASE(a_job_has_begun_when_its_worker_says_so) {
  Begun begun("");
  begun.take_place(3);
  BOOST_TEST(!begun.has_begun(3, 7));
  begun.mark(3, 7);
  BOOST_TEST(begun.has_begun(3, 7));
  BOOST_TEST(!begun.has_begun(3, 8));
}

BOOST_AUTO_TEST_CASE(of_a_worker_without_a_place_everything_may_have_begun) {
  Begun begun("");
  BOOST_TEST(begun.owner(3) == 0u);
  BOOST_TEST(begun.has_begun(3, 7));
  begun.take_place(3 + 256);  // the same place
  BOOST_TEST(begun.owner(3) == 3u + 256);
  BOOST_TEST(begun.has_begun(3, 7));
}

BOOST_AUTO_TEST_CASE(a_new_owner_finds_its_place_empty) {
  Begun begun("");
  begun.take_place(3);
  begun.mark(3, 7);
  begun.take_place(3 + 256);
  BOOST_TEST(!begun.has_begun(3 + 256, 7));
}

BOOST_AUTO_TEST_CASE(a_job_that_has_ended_is_forgotten) {
  Begun begun("");
  begun.take_place(1);
  for (JobId job = 1; job <= 126; ++job) begun.mark(1, job);
  for (JobId job = 1; job <= 126; ++job) BOOST_TEST(begun.has_begun(1, job));
  begun.unmark(1, 50);
  begun.unmark(1, 999);
  BOOST_TEST(!begun.has_begun(1, 50));
  begun.mark(1, 200);
  BOOST_TEST(begun.has_begun(1, 200));
  BOOST_TEST(begun.has_begun(1, 126));
}

BOOST_AUTO_TEST_CASE(nobody_writes_into_the_place_of_another) {
  Begun begun("");
  begun.take_place(3);
  begun.mark(3, 7);
  begun.mark(3 + 256, 8);
  begun.unmark(3 + 256, 7);
  BOOST_TEST(begun.has_begun(3, 7));
  BOOST_TEST(!begun.has_begun(3, 8));
}

BOOST_AUTO_TEST_CASE(what_one_process_notes_another_reads) {
  const TempDir dir;
  Begun one(dir / "jobs.tq-begun");
  Begun other(dir / "jobs.tq-begun");
  one.take_place(5);
  one.mark(5, 9);
  BOOST_TEST(other.has_begun(5, 9));
  BOOST_TEST(!other.has_begun(5, 10));
  const auto others = std::filesystem::perms::group_all | std::filesystem::perms::others_all;
  const auto permissions = std::filesystem::status(dir / "jobs.tq-begun").permissions();
  BOOST_TEST(((permissions & others) == std::filesystem::perms::none));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq
