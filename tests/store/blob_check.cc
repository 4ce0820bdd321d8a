// What check_blobs finds and collect_side_files removes.
#include "store/blob.hpp"
#include "store_test.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace tq::store {
namespace {

const std::string kSmall = "small";
const std::string kMiddle(10'000, 'M');
const std::string kLarge(100'000, 'L');

struct BlobCheckTest : StoreTest {
  std::shared_ptr<Environment> store = open();
  std::set<std::pair<JobId, BlobKind>> seen;

  BlobCheckTest() {
    PreparedBlob large(*store, kLarge);
    WriteTransaction txn = store->write();
    put_blob(txn, 1, BlobKind::payload, PreparedBlob(*store, kSmall));
    put_blob(txn, 2, BlobKind::result, PreparedBlob(*store, kMiddle));
    put_blob(txn, 3, BlobKind::saved, std::move(large));
    txn.commit();
  }

  std::vector<std::string> problems(bool deep = true) {
    std::vector<std::string> found;
    seen.clear();
    check_blobs(
        store->read(), deep, [&](std::string problem) { found.push_back(std::move(problem)); },
        [&](JobId job, BlobKind kind) { seen.emplace(job, kind); });
    return found;
  }
  // There is exactly one problem, and it says this.
  boost::test_tools::predicate_result one_problem(std::string_view part, bool deep = true) {
    const std::vector<std::string> found = problems(deep);
    if (found.size() == 1 && found[0].find(part) != std::string::npos) return true;
    boost::test_tools::predicate_result result(false);
    for (const std::string& problem : found) result.message() << problem << "\n";
    return result;
  }
  std::string side_file() const { return std::filesystem::directory_iterator(side("-blobs"))->path(); }
};

BOOST_FIXTURE_TEST_SUITE(blob_check, BlobCheckTest)

BOOST_AUTO_TEST_CASE(a_sound_store_has_no_problems_and_all_its_blobs_are_seen) {
  BOOST_TEST(problems().empty());
  const std::set<std::pair<JobId, BlobKind>> all = {
      {1, BlobKind::payload}, {2, BlobKind::result}, {3, BlobKind::saved}};
  BOOST_TEST((seen == all));
  const std::uint64_t records = check_blobs(
      store->read(), false, [](const std::string&) {}, [](JobId, BlobKind) {});
  BOOST_TEST(records == 3u + 3u);  // and three chunks
}

BOOST_AUTO_TEST_CASE(a_missing_or_short_side_file_is_found_without_reading_it) {
  write_file(side_file(), "short");
  BOOST_TEST(one_problem("the saved state of job 3 has 5 bytes", false));
  std::filesystem::remove(side_file());
  BOOST_TEST(one_problem("the saved state of job 3 lacks its file", false));
}

BOOST_AUTO_TEST_CASE(an_altered_side_file_is_found_when_looking_deep) {
  write_file(side_file(), std::string(100'000, 'l'));
  BOOST_TEST(problems(false).empty());
  BOOST_TEST(one_problem("the saved state of job 3 does not match its checksum"));
}

BOOST_AUTO_TEST_CASE(a_missing_chunk_is_found) {
  WriteTransaction txn = store->write();
  RawCursor chunks(txn, Tree::blobs, 1);
  BOOST_REQUIRE(chunks.last());
  txn.erase(Tree::blobs, std::string(chunks.key()));
  txn.commit();
  BOOST_TEST(one_problem("the result of job 2 lacks its part 2"));
}

BOOST_AUTO_TEST_CASE(a_chunk_without_its_blob_or_beyond_its_end_is_found) {
  std::string key;
  {
    const ReadTransaction txn = store->read();
    RawCursor chunks(txn, Tree::blobs, 1);
    BOOST_REQUIRE(chunks.last());
    key = chunks.key();
  }
  for (const std::size_t byte : {std::size_t{8}, key.size() - 1}) {  // of another job; of a higher index
    std::string other = key;
    ++other[byte];
    WriteTransaction put = store->write();
    put.put(Tree::blobs, other, "chunk");
    put.commit();
    BOOST_TEST(one_problem("belongs to none"));
    WriteTransaction erase = store->write();
    erase.erase(Tree::blobs, other);
    erase.commit();
  }
}

BOOST_AUTO_TEST_CASE(a_damaged_record_is_found_and_the_others_are_still_looked_at) {
  WriteTransaction txn = store->write();
  RawCursor blobs(txn, Tree::blobs, 2);
  BOOST_REQUIRE(blobs.first());
  txn.put(Tree::blobs, std::string(blobs.key()), "\x09 an unknown form");
  txn.commit();
  BOOST_TEST(one_problem("job 1"));
  BOOST_TEST(seen.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_side_file_that_belongs_to_nothing_is_found_and_collected) {
  write_file(side("-blobs/0123456789abcdef"), kLarge);
  BOOST_TEST(one_problem("the side file '0123456789abcdef' belongs to no job"));
  BOOST_TEST(collect_side_files(*store) == 1u);
  BOOST_TEST(problems().empty());
  BOOST_TEST(collect_side_files(*store) == 0u);
}

BOOST_AUTO_TEST_CASE(files_of_other_names_are_nobodys_business) {
  write_file(side("-blobs/README"), "mine");
  write_file(side("-blobs/0123456789ABCDEF"), "mine");
  BOOST_TEST(problems().empty());
  BOOST_TEST(collect_side_files(*store) == 0u);
}

BOOST_AUTO_TEST_CASE(what_a_living_process_is_writing_is_left_alone) {
  Signal prepared;
  Child writer([&] {
    const auto own = open();
    const PreparedBlob blob(*own, kLarge);
    prepared.raise();
    test::wait_for_ever();
  });
  prepared.wait();
  BOOST_TEST(problems().empty());
  BOOST_TEST(collect_side_files(*store) == 0u);
  writer.kill();
  BOOST_TEST(problems().size() == 1u);
  BOOST_TEST(collect_side_files(*store) == 1u);
}

BOOST_AUTO_TEST_CASE(collecting_while_others_write_and_erase_loses_nothing) {
  std::vector<Child> writers;
  for (JobId writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      const auto own = open();
      for (JobId job = 100 + writer * 100; job < 150 + writer * 100; ++job) {
        PreparedBlob blob(*own, kLarge);
        WriteTransaction txn = own->write();
        put_blob(txn, job, BlobKind::payload, std::move(blob));
        if (job % 2 == 0) erase_blob(txn, job - 1, BlobKind::payload);
        txn.commit(job % 3 == 0 ? Sync::relaxed : Sync::full);
        ensure(get_blob(own->read(), job, BlobKind::payload) == kLarge, "lost");
      }
    });
  }
  for (int i = 0; i < 200; ++i) collect_side_files(*store);
  for (Child& writer : writers) BOOST_TEST(writer.wait() == 0);
  collect_side_files(*store);
  BOOST_TEST(problems().empty());
}

BOOST_AUTO_TEST_CASE(more_garbage_than_fits_into_one_batch_is_collected) {
  for (int i = 0; i < 300; ++i) write_file(side(fmt::format("-blobs/{:016x}", i)), "garbage");
  BOOST_TEST(collect_side_files(*store) == 300u);
  BOOST_TEST(problems().empty());
}

BOOST_AUTO_TEST_CASE(a_store_in_memory_has_no_side_files_to_check) {
  store = Environment::open(":memory:", {});
  BOOST_TEST(problems().empty());
  BOOST_TEST(collect_side_files(*store) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
