#include "store/intake.hpp"

#include "base/failpoint.hpp"
#include "store_test.hpp"
#include "support/random.hpp"

#include <algorithm>
#include <map>
#include <thread>
#include <vector>

namespace tq::store {
namespace {

using Records = std::vector<std::pair<std::uint64_t, std::string>>;

struct IntakeTest : StoreTest {
  std::shared_ptr<Environment> store = open();

  ~IntakeTest() { base::failpoint::arm(""); }

  void reopen() {
    store.reset();
    store = open();
  }
  std::uint64_t add(std::string_view bytes) { return store->add_to_intake(bytes).number; }
  // As a transaction that commits them takes them in.
  Records take(Sync sync = Sync::full) {
    Records taken;
    WriteTransaction txn = store->write();
    txn.take_in(0, 1, [&](std::uint64_t number, std::string_view record) { taken.emplace_back(number, record); });
    txn.commit(sync);
    return taken;
  }
  std::string ring() const { return side("-intake"); }

  // Changes the bytes at an offset of the ring.
  void overwrite(std::size_t offset, std::string_view bytes) const {
    std::string all = read_file(ring());
    all.replace(offset, bytes.size(), bytes);
    write_file(ring(), all);
  }
};

BOOST_FIXTURE_TEST_SUITE(intake, IntakeTest)

BOOST_AUTO_TEST_CASE(what_is_added_is_taken_in_once_and_in_its_order) {
  BOOST_TEST(!store->intake_is_pending());
  BOOST_TEST(add("one") == 1u);
  BOOST_TEST(add("two") == 2u);
  BOOST_TEST(add("") == 3u);
  BOOST_TEST(store->intake_is_pending());
  BOOST_CHECK((take() == Records{{1, "one"}, {2, "two"}, {3, ""}}));
  BOOST_TEST(!store->intake_is_pending());
  BOOST_CHECK(take().empty());
  BOOST_TEST(add("four") == 4u);
  BOOST_CHECK((take() == Records{{4, "four"}}));
}

BOOST_AUTO_TEST_CASE(a_transaction_that_is_not_committed_has_taken_nothing) {
  add("one");
  {
    WriteTransaction txn = store->write();
    txn.take_in(0, 1, [](std::uint64_t, std::string_view) {});
  }
  BOOST_TEST(store->intake_is_pending());
  BOOST_CHECK((take() == Records{{1, "one"}}));
}

BOOST_AUTO_TEST_CASE(what_nobody_has_taken_is_there_when_the_store_is_opened_again) {
  add("one");
  take();
  add("two");
  add("three");
  reopen();
  BOOST_TEST(store->intake_is_pending());
  BOOST_TEST(add("four") == 4u);
  BOOST_CHECK((take() == Records{{2, "two"}, {3, "three"}, {4, "four"}}));
}

BOOST_AUTO_TEST_CASE(another_process_takes_in_what_this_one_has_added_and_numbers_go_on) {
  add("one");
  const int status = in_child([&] {
    const auto other = Environment::open(path, {});
    ensure(other->intake_is_pending(), "nothing is pending");
    WriteTransaction txn = other->write();
    txn.take_in(0, 1, [](std::uint64_t number, std::string_view record) {
      ensure(number == 1 && record == "one", "another record");
    });
    txn.commit();
    ensure(other->add_to_intake("two").number == 2, "another number");
  });
  BOOST_TEST(status == 0);
  BOOST_CHECK((take() == Records{{2, "two"}}));
}

BOOST_AUTO_TEST_CASE(it_goes_round_and_round_and_loses_nothing) {
  test::Random random;
  std::map<std::uint64_t, std::string> added;
  std::uint64_t bytes = 0;
  while (bytes < 14'000'000) {  // some three laps
    const std::string record = random.chance(20) ? random.bytes(Intake::kMostBytes) : random.bytes(500);
    const std::uint64_t number = add(record);
    if (number != 0) {
      added.emplace(number, record);
      bytes += record.size();
    }
    if (number == 0 || random.chance(1)) {
      for (const auto& [taken, its] : take()) {
        const auto found = added.find(taken);
        BOOST_REQUIRE(found != added.end());
        BOOST_REQUIRE((found->second == its));
        added.erase(found);
      }
      BOOST_REQUIRE(added.empty());
    }
    if (random.chance(1)) reopen();
  }
}

BOOST_AUTO_TEST_CASE(when_it_is_full_it_takes_no_more_until_a_durable_commit_has_taken_it) {
  const std::string record(100'000, 'x');
  bool asked = false;
  std::size_t count = 0;
  for (;;) {
    const auto [number, fills_up] = store->add_to_intake(record);
    if (number == 0) break;
    BOOST_TEST(!(asked && fills_up));  // once
    asked = asked || fills_up;
    ++count;
  }
  BOOST_TEST(asked);
  BOOST_TEST(count > 30u);
  BOOST_TEST(take(Sync::relaxed).size() == count);
  BOOST_TEST(add(record) == 0u);  // a power cut may bring back what it holds
  take(Sync::full);
  BOOST_TEST(add(record) == count + 1);
}

BOOST_AUTO_TEST_CASE(who_opens_it_alone_and_finds_much_is_asked_to_take_it_in) {
  const std::string record(40'000, 'x');
  add(record);
  reopen();
  BOOST_TEST(!store->add_to_intake(record).fills_up);
  reopen();
  const auto [number, fills_up] = store->add_to_intake(record);
  BOOST_TEST(number == 3u);
  BOOST_TEST(fills_up);
  BOOST_TEST(!store->add_to_intake(record).fills_up);  // once
  BOOST_TEST(take(Sync::full).size() == 4u);
  reopen();
  BOOST_TEST(!store->add_to_intake(record).fills_up);
}

BOOST_AUTO_TEST_CASE(a_record_that_is_too_long_goes_another_way) {
  BOOST_TEST(add(std::string(Intake::kMostBytes + 1, 'x')) == 0u);
  BOOST_TEST(add(std::string(Intake::kMostBytes, 'x')) == 1u);
}

BOOST_AUTO_TEST_CASE(numbers_of_a_transaction_and_of_records_are_one_sequence) {
  BOOST_TEST(add("one") == 1u);
  {
    WriteTransaction txn = store->write();
    BOOST_TEST(txn.take_in(3, 1, [](std::uint64_t, std::string_view) {}) == 2u);
    BOOST_TEST(add("five") == 5u);  // nobody waits for the transaction
    txn.commit();
  }
  BOOST_CHECK((take() == Records{{5, "five"}}));
  {
    WriteTransaction txn = store->write();
    BOOST_TEST(txn.take_in(2, 1, [](std::uint64_t, std::string_view) {}) == 6u);
  }
  BOOST_TEST(add("six") == 6u);  // those were not used
  store->raise_intake(100);
  store->raise_intake(50);
  BOOST_TEST(add("hundred") == 100u);
}

BOOST_AUTO_TEST_CASE(threads_get_a_number_each_and_lose_nothing) {
  constexpr int kThreads = 16;
  constexpr int kEach = 200;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) add(std::to_string(t) + '.' + std::to_string(i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const Records taken = take();
  BOOST_REQUIRE(taken.size() == std::size_t{kThreads * kEach});
  std::map<int, int> next;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    BOOST_TEST(taken[i].first == i + 1);
    const std::size_t dot = taken[i].second.find('.');
    BOOST_TEST(next[std::stoi(taken[i].second)]++ == std::stoi(taken[i].second.substr(dot + 1)));
  }
}

BOOST_AUTO_TEST_CASE(processes_that_add_at_once_lose_nothing) {
  constexpr int kEach = 100;
  const auto add_some = [&] {
    const auto other = Environment::open(path, {});
    for (int i = 0; i < kEach; ++i) ensure(other->add_to_intake("x").number != 0, "there is no room");
  };
  Child first(add_some);
  Child second(add_some);
  Child third(add_some);
  for (Child* child : {&first, &second, &third}) BOOST_TEST(child->wait() == 0);
  const Records taken = take();
  BOOST_REQUIRE(taken.size() == std::size_t{3 * kEach});
  for (std::size_t i = 0; i < taken.size(); ++i) BOOST_TEST(taken[i].first == i + 1);
}

// --- damage, and what a power cut leaves ---

BOOST_AUTO_TEST_CASE(a_last_record_that_was_written_in_part_was_never_acknowledged_and_is_no_more) {
  add("one");
  add("two");
  store.reset();
  overwrite(intake_record_bytes(3) + kIntakeHeadBytes, "X");
  BOOST_REQUIRE(::unlink(side("-intake-ends").c_str()) == 0);  // that says otherwise
  store = open();
  BOOST_TEST(add("three") == 2u);
  BOOST_CHECK((take() == Records{{1, "one"}, {2, "three"}}));
}

BOOST_AUTO_TEST_CASE(what_lies_behind_a_record_that_was_not_written_does_not_come_back) {
  add("one");
  store.reset();
  // As a power cut may leave it: of two records that were not flushed only the second reached the disk.
  const auto first = decode_record(read_file(ring()), 0);
  BOOST_REQUIRE(first);
  std::string lost;
  const IntakeEnd end =
      append_record(lost, {.position = first->end().position, .number = 2, .before = first->checksum, .bytes = "two"});
  std::string third;
  append_record(third, {.position = end.position, .number = 3, .before = end.checksum, .bytes = "three"});
  overwrite(end.position, third);
  store = open();
  BOOST_TEST(add("new") == 2u);  // as long as the one that was lost
  reopen();
  BOOST_CHECK((take() == Records{{1, "one"}, {2, "new"}}));
}

BOOST_AUTO_TEST_CASE(an_acknowledged_record_that_is_damaged_is_reported_and_never_believed) {
  add("one");
  add("two");
  store.reset();
  overwrite(kIntakeHeadBytes, "X");
  BOOST_TEST(throws<Damaged>([&] { open(); }, "-intake' is damaged: the record at 0"));
}

BOOST_AUTO_TEST_CASE(the_last_acknowledged_record_is_missed_as_long_as_shared_memory_is_there) {
  add("one");
  add("two");
  for (int i = 0; i < 2; ++i) reopen();
  store.reset();
  overwrite(intake_record_bytes(3) + kIntakeHeadBytes, "X");
  for (int i = 0; i < 2; ++i) {  // as often as one looks
    BOOST_TEST(throws<Damaged>([&] { open(); }, "-intake' is damaged: the record at 48"));
  }
}

BOOST_AUTO_TEST_CASE(shared_memory_of_a_newer_state_is_not_believed) {
  add("one");
  store.reset();
  const std::string data = read_file(path);
  const std::string records = read_file(ring());
  store = open();
  take();
  add("two");
  store.reset();
  // As when a backup is put back.
  write_file(path, data);
  write_file(ring(), records);
  store = open();
  BOOST_CHECK((take() == Records{{1, "one"}}));
}

BOOST_AUTO_TEST_CASE(damage_while_the_store_is_open_is_reported_and_nothing_is_taken) {
  add("one");
  overwrite(kIntakeHeadBytes, "X");
  BOOST_TEST(throws<Damaged>([&] { take(); }, "is damaged: a record that no transaction has taken"));
  BOOST_TEST(store->intake_is_pending());
}

BOOST_AUTO_TEST_CASE(a_ring_that_was_cut_off_is_reported) {
  add("one");
  store.reset();
  write_file(ring(), read_file(ring()).substr(0, 10'000));
  BOOST_TEST(throws<Damaged>([&] { open(); }, "it has 10000 bytes"));
}

BOOST_AUTO_TEST_CASE(shared_memory_of_another_boot_is_not_believed) {
  add("one");
  add("two");
  store.reset();
  write_file(side("-intake-ends"), std::string(4096, '\x5a'));
  store = open();
  BOOST_CHECK((take() == Records{{1, "one"}, {2, "two"}}));
}

BOOST_AUTO_TEST_CASE(files_that_are_replaced_while_the_store_is_open_are_noticed) {
  add("one");
  std::filesystem::remove(side("-intake-ends"));
  const int status = in_child([&] {
    ensure(
        static_cast<bool>(throws<StoreError>([&] { Environment::open(path, {}); }, "replaced while the store is open")),
        "it was not noticed");
  });
  BOOST_TEST(status == 0);
}

// --- failures ---

BOOST_AUTO_TEST_CASE(a_flush_that_fails_acknowledges_nothing_and_ends_all_writing) {
  add("one");
  base::failpoint::arm("store.intake.sync=error");
  BOOST_CHECK_THROW(add("two"), IoError);
  base::failpoint::arm("");
  BOOST_CHECK_THROW(add("three"), IoError);
  BOOST_CHECK_THROW(store->write(), IoError);
  reopen();
  BOOST_TEST(take().size() >= 1u);  // of the second nobody knows
  BOOST_TEST(add("four") != 0u);
}

BOOST_AUTO_TEST_CASE(who_waits_for_the_flush_of_a_process_that_is_killed_goes_on) {
  add("one");
  Signal held;
  Child holder([&] {
    LockFile locks(side("-locks"));
    ensure(locks.try_lock_flush(), "somebody has it");
    held.raise();
    test::wait_for_ever();
  });
  held.wait();
  std::thread adder([&] { add("two"); });
  holder.kill();
  adder.join();
  BOOST_TEST(take().size() == 2u);
}

BOOST_AUTO_TEST_CASE(where_it_cannot_be_made_all_goes_into_transactions) {
  base::failpoint::arm("store.create.written=full");
  BOOST_TEST(add("one") == 0u);
  base::failpoint::arm("");
  BOOST_TEST(add("one") == 0u);  // not tried again and again
  BOOST_TEST(!exists(ring()));
  BOOST_TEST(!exists(ring() + "-new"));
  reopen();
  BOOST_TEST(add("one") == 1u);
}

BOOST_AUTO_TEST_CASE(a_store_in_memory_has_none) {
  const auto memory = Environment::open(":memory:", {});
  BOOST_TEST(memory->add_to_intake("one").number == 0u);
  BOOST_TEST(!memory->intake_is_pending());
  WriteTransaction txn = memory->write();
  BOOST_TEST(txn.take_in(2, 7, [](std::uint64_t, std::string_view) {}) == 7u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
