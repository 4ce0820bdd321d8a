#include "store/blob.hpp"

#include "base/failpoint.hpp"
#include "store/transaction_impl.hpp"
#include "store_test.hpp"
#include "support/random.hpp"

#include <vector>

namespace tq::store {
namespace {

constexpr JobId kJob = 7;

struct BlobTest : StoreTest {
  std::shared_ptr<Environment> store = open();

  ~BlobTest() { base::failpoint::arm(""); }

  static void put(Environment& to, std::string bytes, Sync sync = Sync::full, JobId job = kJob) {
    PreparedBlob blob(to, std::move(bytes));
    WriteTransaction txn = to.write();
    put_blob(txn, job, BlobKind::payload, std::move(blob));
    txn.commit(sync);
  }
  static bool erase(Environment& from, Sync sync = Sync::full) {
    WriteTransaction txn = from.write();
    const bool was_there = erase_blob(txn, kJob, BlobKind::payload);
    txn.commit(sync);
    return was_there;
  }
  static std::optional<std::string> get(Environment& from, JobId job = kJob) {
    return get_blob(from.read(), job, BlobKind::payload);
  }
  std::vector<std::string> side_files() const {
    std::vector<std::string> files;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(side("-blobs"), none)) files.push_back(entry.path());
    return files;
  }
};

const std::string kLarge(100'000, 'L');

BOOST_FIXTURE_TEST_SUITE(blob, BlobTest)

BOOST_AUTO_TEST_CASE(bytes_of_every_size_come_back_on_disk_and_in_memory) {
  test::Random random;
  const auto memory = Environment::open(":memory:", {});
  for (const std::size_t size :
       {0u, 1u, 1999u, 2000u, 2001u, 4075u, 4076u, 4077u, 8152u, 8153u, 65'535u, 65'536u, 1'000'000u}) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.number());
    for (Environment* const where : {store.get(), memory.get()}) {
      put(*where, bytes);
      BOOST_TEST((get(*where) == bytes), size);
      BOOST_TEST(blob_size(where->read(), kJob, BlobKind::payload).value() == size);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_job_has_one_blob_of_each_kind) {
  WriteTransaction txn = store->write();
  put_blob(txn, 1, BlobKind::payload, PreparedBlob(*store, "payload"));
  put_blob(txn, 1, BlobKind::result, PreparedBlob(*store, "result"));
  put_blob(txn, 2, BlobKind::payload, PreparedBlob(*store, "other"));
  BOOST_TEST(get_blob(txn, 1, BlobKind::payload).value() == "payload");
  BOOST_TEST(get_blob(txn, 1, BlobKind::result).value() == "result");
  BOOST_TEST(get_blob(txn, 2, BlobKind::payload).value() == "other");
  BOOST_TEST(!get_blob(txn, 1, BlobKind::saved).has_value());
  BOOST_TEST(!blob_size(txn, 1, BlobKind::saved).has_value());
  BOOST_TEST(!erase_blob(txn, 1, BlobKind::saved));
}

BOOST_AUTO_TEST_CASE(large_ones_stand_beside_the_store_in_private_files) {
  put(*store, std::string(kSideFileBytes - 1, 'x'));
  BOOST_TEST(side_files().empty());
  put(*store, std::string(kSideFileBytes, 'x'));
  BOOST_REQUIRE(side_files().size() == 1u);
  BOOST_TEST(read_file(side_files()[0]).size() == kSideFileBytes);
  BOOST_TEST(mode_of(side_files()[0]) == 0600u);
  BOOST_TEST(mode_of(side("-blobs")) == 0700u);
}

BOOST_AUTO_TEST_CASE(a_chunk_takes_one_overflow_page_and_a_small_blob_none) {
  const auto overflow_pages = [&](std::size_t size) {
    const auto fresh = Environment::open(":memory:", {});
    put(*fresh, std::string(size, 'x'));
    const ReadTransaction txn = fresh->read();
    MDB_stat stat{};
    mdb_stat(txn.impl().txn, txn.impl().tree(Tree::blobs), &stat);
    return stat.ms_overflow_pages;
  };
  BOOST_TEST(overflow_pages(kChunkBytes) == 0u);
  BOOST_TEST(overflow_pages(kOverflowChunkBytes) == 1u);
  BOOST_TEST(overflow_pages(10 * kOverflowChunkBytes) == 10u);
}

BOOST_AUTO_TEST_CASE(one_byte_more_a_chunk_would_take_a_second_page) {
  const auto fresh = Environment::open(":memory:", {});
  WriteTransaction txn = fresh->write();
  txn.put(Tree::blobs, "key", std::string(kOverflowChunkBytes + 1, 'x'));
  MDB_stat stat{};
  mdb_stat(txn.impl().txn, txn.impl().tree(Tree::blobs), &stat);
  BOOST_TEST(stat.ms_overflow_pages == 2u);
}

BOOST_AUTO_TEST_CASE(a_replaced_or_erased_blob_leaves_nothing_behind) {
  for (const std::size_t size : {10u, 10'000u, 100'000u}) {
    for (const std::size_t next : {20u, 20'000u, 200'000u}) {
      put(*store, std::string(size, 'a'));
      put(*store, std::string(next, 'b'));
      BOOST_TEST((get(*store) == std::string(next, 'b')));
      BOOST_TEST(side_files().size() == (next >= kSideFileBytes ? 1u : 0u));
    }
  }
  BOOST_TEST(erase(*store));
  BOOST_TEST(!erase(*store));
  BOOST_TEST(!get(*store).has_value());
  BOOST_TEST(side_files().empty());
  const ReadTransaction txn = store->read();
  for (const std::uint8_t kind : {std::uint8_t{1}, std::uint8_t{2}})
    BOOST_TEST(!RawCursor(txn, Tree::blobs, kind).first());
}

BOOST_AUTO_TEST_CASE(a_prepared_blob_that_is_not_put_leaves_no_file) {
  { PreparedBlob(*store, kLarge); }
  BOOST_TEST(side_files().empty());
  PreparedBlob blob(*store, kLarge);
  PreparedBlob moved = std::move(blob);
  BOOST_TEST(side_files().size() == 1u);
  moved = PreparedBlob(*store, "small");
  BOOST_TEST(side_files().empty());
}

BOOST_AUTO_TEST_CASE(a_blob_of_a_transaction_that_is_not_committed_leaves_no_file) {
  PreparedBlob blob(*store, kLarge);
  {
    WriteTransaction txn = store->write();
    put_blob(txn, kJob, BlobKind::payload, std::move(blob));
    BOOST_TEST((get_blob(txn, kJob, BlobKind::payload) == kLarge));
  }
  BOOST_TEST(side_files().empty());
}

BOOST_AUTO_TEST_CASE(an_erased_blob_of_a_transaction_that_is_not_committed_is_still_there) {
  put(*store, kLarge);
  {
    WriteTransaction txn = store->write();
    erase_blob(txn, kJob, BlobKind::payload);
    BOOST_TEST(!get_blob(txn, kJob, BlobKind::payload).has_value());
  }
  BOOST_TEST((get(*store) == kLarge));
}

BOOST_AUTO_TEST_CASE(put_and_erased_in_one_transaction_leaves_no_file) {
  PreparedBlob blob(*store, kLarge);
  WriteTransaction txn = store->write();
  put_blob(txn, kJob, BlobKind::payload, std::move(blob));
  BOOST_TEST(erase_blob(txn, kJob, BlobKind::payload));
  txn.commit();
  BOOST_TEST(side_files().empty());
}

BOOST_AUTO_TEST_CASE(a_commit_that_may_have_happened_keeps_the_file_and_one_that_has_not_does_not) {
  PreparedBlob blob(*store, kLarge);
  base::failpoint::arm("store.commit.before=full");
  BOOST_CHECK_THROW(put(*store, kLarge), DiskFull);
  BOOST_TEST(side_files().size() == 1u);  // of `blob`
  base::failpoint::arm("store.commit.before=error");
  BOOST_CHECK_THROW(put(*store, kLarge), IoError);
  BOOST_TEST(side_files().size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_file_stays_until_the_commit_that_dropped_it_is_durable) {
  put(*store, kLarge);
  erase(*store, Sync::relaxed);
  BOOST_TEST(side_files().size() == 1u);  // a power cut may undo that
  put_row(*store, 1, "x", Sync::relaxed);
  BOOST_TEST(side_files().size() == 1u);
  put_row(*store, 1, "y");
  BOOST_TEST(side_files().empty());
}

BOOST_AUTO_TEST_CASE(a_reader_of_an_older_state_finds_nothing_when_the_file_has_gone_since) {
  put(*store, kLarge);
  const ReadTransaction before = store->read();
  erase(*store);
  BOOST_TEST(blob_size(before, kJob, BlobKind::payload).has_value());
  BOOST_TEST(!get_blob(before, kJob, BlobKind::payload).has_value());
}

BOOST_AUTO_TEST_CASE(a_reader_of_an_older_state_finds_nothing_when_the_blob_was_replaced_since) {
  put(*store, kLarge);
  const ReadTransaction before = store->read();
  put(*store, kLarge + "new");
  BOOST_TEST(!get_blob(before, kJob, BlobKind::payload).has_value());
}

BOOST_AUTO_TEST_CASE(a_missing_short_or_altered_file_is_damage_that_names_the_job) {
  put(*store, kLarge);
  const std::string file = side_files().at(0);
  write_file(file, kLarge.substr(1));
  BOOST_TEST(throws<Damaged>([&] { get(*store); }, "the payload of job 7 has 99999 bytes where 100000 were written"));
  std::string altered = kLarge;
  altered[5000] = 'l';
  write_file(file, altered);
  BOOST_TEST(throws<Damaged>([&] { get(*store); }, "the payload of job 7 does not match its checksum"));
  std::filesystem::remove(file);
  BOOST_TEST(throws<Damaged>([&] { get(*store); }, "the payload of job 7 lacks its file"));
}

BOOST_AUTO_TEST_CASE(a_missing_chunk_is_damage_that_names_the_job) {
  put(*store, std::string(10'000, 'x'));
  WriteTransaction txn = store->write();
  RawCursor chunks(txn, Tree::blobs, 1);
  BOOST_REQUIRE((chunks.first() && chunks.next()));
  BOOST_REQUIRE(txn.erase(Tree::blobs, std::string(chunks.key())));
  BOOST_TEST(throws<Damaged>([&] { get_blob(txn, kJob, BlobKind::payload); }, "the payload of job 7 lacks its part 1"));
}

BOOST_AUTO_TEST_CASE(a_death_at_any_step_loses_no_acknowledged_blob_and_leaves_only_garbage_that_is_collected) {
  put(*store, kLarge);
  for (const char* step : {"store.blob.created", "store.blob.written", "store.blob.synced", "store.blob.directory",
                           "store.commit.before", "store.commit.after"}) {
    const int status = in_child([&] {
      const auto own = open();
      base::failpoint::arm(step);
      put(*own, "another " + kLarge, Sync::full, 8);
    });
    BOOST_TEST(status == 137, step);
    const bool committed = std::string(step) == "store.commit.after";
    BOOST_TEST((get(*store) == kLarge), step);
    BOOST_TEST(get(*store, 8).has_value() == committed, step);
    BOOST_TEST(side_files().size() == 2u, step);
    BOOST_TEST(collect_side_files(*store) == (committed ? 0u : 1u), step);
    BOOST_TEST(get(*store, 8).has_value() == committed, step);
    BOOST_TEST((get(*store) == kLarge), step);
  }
}

BOOST_AUTO_TEST_CASE(a_failure_at_any_step_is_told_and_leaves_no_file) {
  for (const char* step : {"store.blob.created", "store.blob.written", "store.blob.synced", "store.blob.directory"}) {
    base::failpoint::arm(std::string(step) + "=full");
    BOOST_TEST(throws<DiskFull>([&] { PreparedBlob(*store, kLarge); }, side("-blobs")), step);
    base::failpoint::arm(std::string(step) + "=error");
    BOOST_TEST(throws<IoError>([&] { PreparedBlob(*store, kLarge); }, side("-blobs")), step);
    BOOST_TEST(side_files().empty(), step);
  }
  put(*store, kLarge);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
