#include "store/transaction.hpp"

#include "base/failpoint.hpp"
#include "store/blob.hpp"
#include "store_test.hpp"

#include <atomic>
#include <thread>
#include <vector>

namespace tq::store {
namespace {

struct DisarmAfterwards {
  ~DisarmAfterwards() { base::failpoint::arm(""); }
};

struct TransactionTest : StoreTest {
  std::shared_ptr<Environment> store = open();
  DisarmAfterwards disarm;
};

BOOST_FIXTURE_TEST_SUITE(transaction, TransactionTest)

BOOST_AUTO_TEST_CASE(what_was_put_is_got_and_what_was_erased_is_not) {
  WriteTransaction txn = store->write();
  BOOST_TEST(!get(txn, Row{1}).has_value());
  put(txn, Row{1}, "one");
  BOOST_TEST(get(txn, Row{1}).value() == "one");
  put(txn, Row{1}, "another");
  BOOST_TEST(get(txn, Row{1}).value() == "another");
  BOOST_TEST(erase(txn, Row{1}));
  BOOST_TEST(!erase(txn, Row{1}));
  BOOST_TEST(!get(txn, Row{1}).has_value());
}

BOOST_AUTO_TEST_CASE(values_may_be_empty_and_hold_any_bytes) {
  const std::string all_bytes = [] {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
    return bytes;
  }();
  put_row(*store, 1, "");
  put_row(*store, 2, all_bytes);
  put_row(*store, 3, std::string(100'000, 'x'));
  BOOST_TEST(get_row(*store, 1).value().empty());
  BOOST_TEST((get_row(*store, 2) == all_bytes));
  BOOST_TEST(get_row(*store, 3).value().size() == 100'000u);
}

BOOST_AUTO_TEST_CASE(trees_are_apart) {
  WriteTransaction txn = store->write();
  txn.put(Tree::events, "key", "events");
  std::string_view value;
  for (const Tree tree : {Tree::catalog, Tree::jobs, Tree::index, Tree::logs, Tree::blobs}) {
    BOOST_TEST(!txn.get(tree, "key", value));
  }
  BOOST_TEST(txn.get(Tree::events, "key", value));
}

BOOST_AUTO_TEST_CASE(a_value_of_the_same_transaction_may_be_put_again_under_another_key) {
  WriteTransaction txn = store->write();
  for (std::uint64_t id = 1; id < 2000; ++id) put(txn, Row{id}, std::string(100, static_cast<char>('a' + id % 26)));
  // Each put moves bytes in the very pages that the values lie in.
  for (std::uint64_t id = 1; id < 2000; ++id) put(txn, Row{5000 - id}, get(txn, Row{id}).value());
  for (std::uint64_t id = 1; id < 2000; ++id) BOOST_REQUIRE((get(txn, Row{5000 - id}) == get(txn, Row{id})));
}

BOOST_AUTO_TEST_CASE(a_key_of_the_same_transaction_may_be_put_and_erased_again) {
  WriteTransaction txn = store->write();
  for (std::uint64_t id = 0; id < 1000; ++id) put(txn, Row{id}, std::string(10, 'x'));
  RawCursor cursor(txn, Row::kTree, Row::kKind);
  for (std::uint64_t id = 0; id < 1000; ++id) {
    BOOST_REQUIRE(cursor.seek(encode_key(Row{id})));
    txn.put(Row::kTree, cursor.key(), std::string(1 + id % 700, 'y'));  // the key lies in a page that this moves
  }
  for (std::uint64_t id = 0; id < 1000; ++id) {
    BOOST_REQUIRE((get(txn, Row{id}) == std::string(1 + id % 700, 'y')));
    BOOST_REQUIRE(cursor.seek(encode_key(Row{id})));
    BOOST_REQUIRE(txn.erase(Row::kTree, cursor.key()));
  }
  BOOST_TEST(!cursor.first());
}

BOOST_AUTO_TEST_CASE(append_takes_keys_in_any_order) {
  WriteTransaction txn = store->write();
  for (const std::uint64_t id : {5u, 7u, 6u, 6u, 1u, 9u}) append(txn, Row{id}, std::to_string(id));
  for (const std::uint64_t id : {1u, 5u, 6u, 7u, 9u}) BOOST_TEST(get(txn, Row{id}).value() == std::to_string(id));
}

BOOST_AUTO_TEST_CASE(appended_records_fill_their_pages) {
  const auto bytes_used = [&](auto add) {
    const auto fresh = Environment::open(":memory:", {});
    WriteTransaction txn = fresh->write();
    for (std::uint64_t id = 0; id < 10'000; ++id) add(txn, Row{id});
    txn.commit();
    return fresh->usage().used_bytes;
  };
  const std::string value(200, 'v');
  const std::uint64_t appended = bytes_used([&](WriteTransaction& txn, Row row) { append(txn, row, value); });
  BOOST_TEST(appended < 10'000 * (200 + 9 + 4 + 8 + 2) * 11 / 10);  // value, key, checksum, LMDB's node and pointer
}

BOOST_AUTO_TEST_CASE(a_transaction_that_is_not_committed_leaves_nothing) {
  put_row(*store, 1, "before");
  {
    WriteTransaction txn = store->write();
    put(txn, Row{1}, "after");
    put(txn, Row{2}, "after");
  }
  BOOST_TEST(get_row(*store, 1).value() == "before");
  BOOST_TEST(!get_row(*store, 2).has_value());
}

BOOST_AUTO_TEST_CASE(a_part_of_a_transaction_that_fails_is_undone_and_the_rest_is_kept) {
  bool action_ran = false;
  {
    WriteTransaction txn = store->write();
    put(txn, Row{1}, "before");
    txn.attempt([&] { put(txn, Row{2}, "kept"); });
    BOOST_CHECK_THROW(txn.attempt([&] {
      put(txn, Row{1}, "changed");
      put(txn, Row{3}, "undone");
      erase(txn, Row{2});
      put_blob(txn, 9, BlobKind::payload, PreparedBlob(*store, std::string(100'000, 'x')));
      txn.after_commit([&] { action_ran = true; });
      Cursor<Row> cursor(txn);
      BOOST_TEST(cursor.first());
      throw std::runtime_error("no");
    }),
                      std::runtime_error);
    put(txn, Row{4}, "after");
    txn.commit();
  }
  BOOST_TEST(get_row(*store, 1).value() == "before");
  BOOST_TEST(get_row(*store, 2).value() == "kept");
  BOOST_TEST(!get_row(*store, 3));
  BOOST_TEST(get_row(*store, 4).value() == "after");
  BOOST_TEST(!get_blob(store->read(), 9, BlobKind::payload));
  BOOST_TEST(!action_ran);
  BOOST_TEST(std::filesystem::is_empty(side("-blobs")));
}

BOOST_AUTO_TEST_CASE(a_reader_sees_one_state_while_writers_go_on) {
  put_row(*store, 1, "before");
  const ReadTransaction reading = store->read();
  BOOST_TEST(get(reading, Row{1}).value() == "before");
  put_row(*store, 1, "after");
  for (std::uint64_t i = 0; i < 100; ++i) put_row(*store, 1000 + i, "more");
  BOOST_TEST(get(reading, Row{1}).value() == "before");
  BOOST_TEST(get_row(*store, 1).value() == "after");
}

BOOST_AUTO_TEST_CASE(a_new_reader_sees_what_was_committed_before_it_began_also_by_another_process) {
  BOOST_TEST(in_child([&] { put_row(*open(), 1, "child"); }) == 0);
  BOOST_TEST(get_row(*store, 1).value() == "child");
}

BOOST_AUTO_TEST_CASE(readers_do_not_wait_for_a_writer) {
  const ReadTransaction first = store->read();
  const ReadTransaction second = store->read();
  WriteTransaction txn = store->write();
  put(txn, Row{1}, "not yet");
  BOOST_TEST(!get_row(*store, 1).has_value());  // would hang if it waited
}

BOOST_AUTO_TEST_CASE(a_writer_may_read_the_committed_state_beside_its_own) {
  put_row(*store, 1, "before");
  WriteTransaction txn = store->write();
  put(txn, Row{1}, "after");
  std::vector<ReadTransaction> many;  // more than there are slots yet: made without waiting for its own lock
  for (int i = 0; i < 10; ++i) many.push_back(store->read());
  BOOST_TEST(get(many.back(), Row{1}).value() == "before");
  BOOST_TEST(get(txn, Row{1}).value() == "after");
}

BOOST_AUTO_TEST_CASE(threads_write_one_after_the_other_and_lose_nothing) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        WriteTransaction txn = store->write();
        const std::optional<std::string_view> count = get(txn, Row{0});
        put(txn, Row{0}, std::to_string((count ? std::stoi(std::string(*count)) : 0) + 1));
        txn.commit(Sync::relaxed);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  BOOST_TEST(get_row(*store, 0).value() == "400");
}

BOOST_AUTO_TEST_CASE(processes_write_one_after_the_other_and_lose_nothing) {
  std::vector<Child> children;
  for (int c = 0; c < 4; ++c) {
    children.emplace_back([&] {
      const auto own = open();
      for (int i = 0; i < 50; ++i) {
        WriteTransaction txn = own->write();
        const std::optional<std::string_view> count = get(txn, Row{0});
        put(txn, Row{0}, std::to_string((count ? std::stoi(std::string(*count)) : 0) + 1));
        txn.commit();
      }
    });
  }
  for (Child& child : children) BOOST_TEST(child.wait() == 0);
  BOOST_TEST(get_row(*store, 0).value() == "200");
}

BOOST_AUTO_TEST_CASE(readers_in_many_threads_see_only_whole_transactions) {
  std::atomic<bool> done = false;
  std::atomic<int> torn = 0;
  const auto write_pair = [&](int i) {
    WriteTransaction txn = store->write();
    put(txn, Row{1}, std::to_string(i));
    put(txn, Row{2}, std::to_string(i));
    txn.commit(Sync::relaxed);
  };
  write_pair(0);
  std::vector<std::thread> readers;
  for (int t = 0; t < 4; ++t) {
    readers.emplace_back([&] {
      while (!done) {
        const ReadTransaction txn = store->read();
        if (get(txn, Row{1}) != get(txn, Row{2})) ++torn;
      }
    });
  }
  for (int i = 1; i < 300; ++i) write_pair(i);
  done = true;
  for (std::thread& thread : readers) thread.join();
  BOOST_TEST(torn == 0);
}

BOOST_AUTO_TEST_CASE(a_moved_transaction_goes_on) {
  WriteTransaction first = store->write();
  put(first, Row{1}, "one");
  WriteTransaction second = std::move(first);
  put(second, Row{2}, "two");
  second.commit();
  ReadTransaction reading = store->read();
  const ReadTransaction moved = std::move(reading);
  BOOST_TEST(get(moved, Row{1}).value() == "one");
  BOOST_TEST(get(moved, Row{2}).value() == "two");
}

// --- Which thread ---

int abort_status() { return 128 + SIGABRT; }

// The child is silent about its death.
int dies(const std::function<void()>& body) {
  return in_child([&] {
    ::close(STDERR_FILENO);
    body();
  });
}

BOOST_AUTO_TEST_CASE(another_thread_must_not_touch_a_write_transaction) {
  const std::vector<std::function<void(WriteTransaction&)>> uses = {
      [](WriteTransaction& txn) { put(txn, Row{1}, "x"); },
      [](WriteTransaction& txn) { get(txn, Row{1}); },
      [](WriteTransaction& txn) { erase(txn, Row{1}); },
      [](WriteTransaction& txn) { txn.require_room(); },
      [](WriteTransaction& txn) { txn.after_commit([] {}); },
      [](WriteTransaction& txn) { txn.commit(); },
      [](WriteTransaction& txn) { WriteTransaction taken = std::move(txn); },  // and destroys it
  };
  for (const auto& use : uses) {
    BOOST_TEST(dies([&] {
                 const auto own = open();
                 WriteTransaction txn = own->write();
                 std::thread(use, std::ref(txn)).join();
               }) == abort_status());
  }
}

BOOST_AUTO_TEST_CASE(a_thread_that_writes_must_not_begin_another_write) {
  BOOST_TEST(dies([&] {
               const auto own = open();
               const WriteTransaction first = own->write();
               const WriteTransaction second = own->write();
             }) == abort_status());
}

BOOST_AUTO_TEST_CASE(nothing_is_done_with_a_transaction_that_is_over) {
  BOOST_TEST(dies([&] {
               const auto own = open();
               WriteTransaction txn = own->write();
               txn.commit();
               put(txn, Row{1}, "x");
             }) == abort_status());
}

BOOST_AUTO_TEST_CASE(a_reader_may_be_used_by_another_thread) {
  put_row(*store, 1, "one");
  ReadTransaction txn = store->read();
  std::thread([moved = std::move(txn)] { BOOST_TEST(get(moved, Row{1}).value() == "one"); }).join();
}

// --- After the commit ---

BOOST_AUTO_TEST_CASE(actions_run_after_the_commit_in_order_and_free_of_the_lock) {
  std::string trace;
  WriteTransaction txn = store->write();
  put(txn, Row{1}, "one");
  txn.after_commit([&] { trace += get_row(*store, 1).value(); });
  txn.after_commit([&] {
    put_row(*store, 2, "two");  // would hang if the lock were held
    trace += " two";
  });
  BOOST_TEST(trace.empty());
  txn.commit();
  BOOST_TEST(trace == "one two");
}

BOOST_AUTO_TEST_CASE(actions_of_a_transaction_that_did_not_commit_never_run) {
  bool ran = false;
  {
    WriteTransaction txn = store->write();
    txn.after_commit([&] { ran = true; });
  }
  base::failpoint::arm("store.commit.before=full");
  WriteTransaction txn = store->write();
  txn.after_commit([&] { ran = true; });
  BOOST_CHECK_THROW(txn.commit(), DiskFull);
  BOOST_TEST(!ran);
}

// --- Deaths and failures at the commit ---

BOOST_AUTO_TEST_CASE(what_was_acknowledged_survives_a_death_and_the_rest_is_whole_or_not_there) {
  const auto write_pair_in_child = [&](const char* failpoint) {
    return in_child([&] {
      const auto own = open();
      base::failpoint::arm(failpoint);
      WriteTransaction txn = own->write();
      put(txn, Row{1}, failpoint);
      put(txn, Row{2}, failpoint);
      txn.commit();
    });
  };
  store.reset();
  BOOST_TEST(write_pair_in_child("nowhere") == 0);
  BOOST_TEST(write_pair_in_child("store.commit.before") == 137);
  BOOST_TEST(get_row(*open(), 1).value() == "nowhere");
  BOOST_TEST(get_row(*open(), 2).value() == "nowhere");
  BOOST_TEST(write_pair_in_child("store.commit.after") == 137);
  BOOST_TEST(get_row(*open(), 1).value() == "store.commit.after");
  BOOST_TEST(get_row(*open(), 2).value() == "store.commit.after");
}

BOOST_AUTO_TEST_CASE(processes_that_are_killed_while_they_write_block_nobody) {
  for (int round = 0; round < 20; ++round) {
    Signal began;
    std::vector<Child> writers;
    for (int c = 0; c < 3; ++c) {
      writers.emplace_back([&] {
        const auto own = open();
        began.raise();
        for (std::uint64_t i = 0;; ++i)
          put_row(*own, i % 100, std::to_string(i), i % 2 == 0 ? Sync::full : Sync::relaxed);
      });
    }
    for (int c = 0; c < 3; ++c) began.wait();
    put_row(*store, 1000, "alive");
    for (Child& writer : writers) {
      writer.kill();
      put_row(*store, 1001, "alive");
    }
  }
  BOOST_TEST(get_row(*store, 1001).value() == "alive");
}

BOOST_AUTO_TEST_CASE(a_full_disk_at_the_commit_keeps_nothing_and_lets_the_next_go_on) {
  base::failpoint::arm("store.commit.before=full");
  BOOST_TEST(throws<DiskFull>([&] { put_row(*store, 1, "one"); }, path));
  BOOST_TEST(!get_row(*store, 1).has_value());
  put_row(*store, 2, "two");
  BOOST_TEST(get_row(*store, 2).value() == "two");
}

BOOST_AUTO_TEST_CASE(after_a_failed_commit_nothing_more_is_written_until_the_store_is_opened_again) {
  put_row(*store, 1, "one");
  base::failpoint::arm("store.commit.before=error");
  BOOST_TEST(throws<IoError>([&] { put_row(*store, 1, "two"); }, "Input/output error"));
  BOOST_TEST(throws<IoError>([&] { store->write(); }, "since a commit failed (Input/output error)"));
  BOOST_TEST(throws<IoError>([&] { store->write(); }, path));
  BOOST_TEST(get_row(*store, 1).value() == "one");  // reading goes on
  store.reset();
  store = open();
  put_row(*store, 1, "three");
  BOOST_TEST(get_row(*store, 1).value() == "three");
}

BOOST_AUTO_TEST_CASE(who_waited_for_the_lock_while_a_commit_failed_is_refused_too) {
  std::optional<WriteTransaction> txn = store->write();
  std::atomic<bool> refused = false;
  std::thread waiter([&] { refused = bool(throws<IoError>([&] { store->write(); }, "since a commit failed")); });
  base::failpoint::arm("store.commit.before=error");
  BOOST_CHECK_THROW(txn->commit(), IoError);
  txn.reset();
  waiter.join();
  BOOST_TEST(refused.load());
}

BOOST_AUTO_TEST_CASE(a_transaction_that_changed_nothing_may_be_committed) {
  store->write().commit();
  store->write().commit(Sync::relaxed);
  put_row(*store, 1, "one");
}

BOOST_AUTO_TEST_CASE(a_relaxed_commit_is_seen_at_once_by_all) {
  put_row(*store, 1, "one", Sync::relaxed);
  BOOST_TEST(get_row(*store, 1).value() == "one");
  BOOST_TEST(in_child([&] { ensure(get_row(*open(), 1) == "one", "not seen"); }) == 0);
}

// --- Damage ---

// Flips one bit wherever in the file `bytes` stand: earlier versions of a page are there, too.
void flip_bit_in(const std::string& path, std::string_view bytes) {
  std::string file = read_file(path);
  std::size_t at = file.find(bytes);
  ensure(at != file.npos, "the bytes are not there");
  for (; at != file.npos; at = file.find(bytes, at)) {
    char& byte = file[at + bytes.size() / 2];
    byte = static_cast<char>(byte ^ 4);
  }
  const base::Fd fd = base::open_file(path, O_WRONLY);
  ensure(::pwrite(fd.get(), file.data(), file.size(), 0) == static_cast<ssize_t>(file.size()), "pwrite");
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_a_value_is_damage_that_names_the_job) {
  put_row(*store, 258, "a value to be found in the file");
  flip_bit_in(path, "a value to be found in the file");
  BOOST_TEST(
      throws<Damaged>([&] { get_row(*store, 258); }, "the record 010000000000000102 of job 258 in the tree 'jobs'"));
  BOOST_TEST(throws<Damaged>([&] { get_row(*store, 258); }, path));
}

BOOST_AUTO_TEST_CASE(a_flipped_bit_in_a_key_is_damage) {
  put_row(*store, 0x6162636465666768, "value");
  flip_bit_in(path, "abcdefgh");
  const ReadTransaction txn = store->read();
  Cursor<Row> cursor(txn);
  BOOST_TEST(cursor.first());
  BOOST_TEST(throws<Damaged>([&] { cursor.value(); }, "does not match its checksum"));
}

BOOST_AUTO_TEST_CASE(other_records_are_read_beside_a_damaged_one) {
  put_row(*store, 1, "the one to be damaged");
  put_row(*store, 2, "another");
  flip_bit_in(path, "the one to be damaged");
  BOOST_CHECK_THROW(get_row(*store, 1), Damaged);
  BOOST_TEST(get_row(*store, 2).value() == "another");
}

BOOST_AUTO_TEST_CASE(a_damaged_record_may_be_overwritten_and_erased) {
  put_row(*store, 1, "the one to be damaged");
  flip_bit_in(path, "the one to be damaged");
  put_row(*store, 1, "whole");
  BOOST_TEST(get_row(*store, 1).value() == "whole");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
