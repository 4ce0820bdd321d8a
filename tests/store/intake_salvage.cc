#include "store/intake_salvage.hpp"

#include "damage.hpp"
#include "store/making.hpp"
#include "store_test.hpp"
#include "support/random.hpp"

#include <map>
#include <vector>

namespace tq::store {
namespace {

struct SalvageTest : StoreTest {
  std::shared_ptr<Environment> store = open();

  std::string ring() const { return side("-intake"); }
  std::uint64_t add(std::string_view bytes) const { return store->add_to_intake(bytes).number; }
  std::vector<std::string> take() const {
    std::vector<std::string> taken;
    WriteTransaction txn = store->write();
    txn.take_in(0, 1, [&](std::uint64_t, std::string_view record) { taken.emplace_back(record); });
    txn.commit();
    return taken;
  }
  // "1 one, hole, 3 three"
  std::string salvaged() const {
    std::string text;
    for (const SalvagedRecord& record : salvage_intake(ring())) {
      if (!text.empty()) text += ", ";
      text += record.is_whole ? std::to_string(record.number) + " " + record.bytes : "hole";
    }
    return text;
  }
  void overwrite(std::size_t offset, std::string_view bytes) const {
    std::string all = read_file(ring());
    all.replace(offset, bytes.size(), bytes);
    write_file(ring(), all);
  }
};

BOOST_FIXTURE_TEST_SUITE(intake_salvage, SalvageTest)

BOOST_AUTO_TEST_CASE(where_there_is_no_ring_there_is_nothing) {
  BOOST_TEST(!exists(ring()));
  BOOST_TEST(salvage_intake(ring()).empty());
  write_file(ring(), "");
  BOOST_TEST(salvage_intake(ring()).empty());
  write_file(ring(), "nonsense");
  BOOST_TEST(salvage_intake(ring()).empty());
  write_file(ring(), std::string(100'000, '\0'));
  BOOST_TEST(salvage_intake(ring()).empty());
}

BOOST_AUTO_TEST_CASE(every_record_is_found_with_its_place_whether_or_not_it_was_taken) {
  add("one");
  add("two");
  take();
  const IntakeEnd taken = find_intake_end(store->read()).value();
  add("");
  add("four");
  BOOST_TEST(salvaged() == "1 one, 2 two, 3 , 4 four");
  const auto found = salvage_intake(ring());
  BOOST_TEST(found[0].position == 0u);
  BOOST_CHECK(found[1].end == taken);
  for (std::size_t i = 1; i < found.size(); ++i) BOOST_TEST(found[i].position == found[i - 1].end.position);
  take();
  BOOST_CHECK(found[3].end == find_intake_end(store->read()));
}

BOOST_AUTO_TEST_CASE(what_is_behind_a_damaged_record_is_found) {
  add("one");
  add(std::string(1000, '2'));
  add("three");
  const auto found = salvage_intake(ring());
  BOOST_TEST_REQUIRE(found.size() == 3u);
  overwrite(found[1].position + 100, "x");
  BOOST_TEST(salvaged() == "1 one, hole, 3 three");
  const SalvagedRecord hole = salvage_intake(ring()).at(1);
  BOOST_TEST(hole.position == found[1].position);
  BOOST_TEST(hole.end.position == found[2].position);
  BOOST_TEST((hole.bytes == read_file(ring()).substr(found[1].position, found[2].position - found[1].position)));
  overwrite(0, std::string(8, '\xff'));  // a position
  BOOST_TEST(salvaged() == "hole, 3 three");
  overwrite(found[2].position + 24, std::string(4, '\xff'));  // a length that leads beyond the end
  BOOST_TEST(salvaged().empty());
}

BOOST_AUTO_TEST_CASE(a_payload_that_looks_like_a_record_is_not_taken_for_one) {
  std::string inner;
  append_record(inner, {.position = kIntakeHeadBytes, .number = 666, .bytes = "a trap"});
  add(inner);
  add("two");
  BOOST_TEST(salvage_intake(ring()).size() == 2u);
  BOOST_TEST(salvage_intake(ring()).at(1).number == 2u);
}

BOOST_AUTO_TEST_CASE(of_the_last_lap_is_found_what_has_not_been_overwritten) {
  test::Random random;
  std::map<std::uint64_t, std::string> added;
  std::uint64_t bytes = 0;
  while (bytes < 7'000'000) {
    const std::string record(random.below(random.chance(90) ? 60'000 : 500), static_cast<char>(random.below(256)));
    std::uint64_t number = add(record);
    if (number == 0) {
      take();
      number = add(record);
    }
    BOOST_TEST_REQUIRE(number != 0u);
    added.emplace(number, record);
    bytes += record.size();
  }
  take();
  const auto found = salvage_intake(ring());
  BOOST_TEST_REQUIRE(!found.empty());
  BOOST_CHECK(found.back().end == find_intake_end(store->read()));
  const std::uint64_t ring_bytes = std::filesystem::file_size(ring());
  BOOST_TEST(found.front().position >= found.back().end.position - ring_bytes);
  BOOST_TEST(found.front().position < found.back().end.position - ring_bytes + 100'000);
  std::uint64_t expected = 0;
  for (const SalvagedRecord& record : found) {
    BOOST_TEST(record.is_whole);
    if (record.number == 0) continue;
    if (expected != 0) BOOST_TEST(record.number == expected);
    BOOST_TEST((record.bytes == added.at(record.number)));
    expected = record.number + 1;
  }
  BOOST_TEST(expected == added.rbegin()->first + 1);
}

BOOST_AUTO_TEST_CASE(how_far_it_was_taken_in_is_known_unless_that_is_damaged) {
  BOOST_CHECK(find_intake_end(store->read()) == IntakeEnd{});
  add("one");
  BOOST_CHECK(find_intake_end(store->read()) == IntakeEnd{});
  take();
  BOOST_CHECK(find_intake_end(store->read()) == salvage_intake(ring()).at(0).end);
  WriteTransaction txn = store->write();
  rot(txn, Tree::catalog, intake_key());
  BOOST_CHECK(!find_intake_end(txn));
  put_intake_end(txn, {4711, 17});
  BOOST_CHECK(find_intake_end(txn) == (IntakeEnd{4711, 17}));
}

BOOST_AUTO_TEST_CASE(a_store_that_is_made_anew_goes_on_where_it_was_told) {
  add("one");
  add("two");
  const IntakeEnd end = salvage_intake(ring()).at(0).end;
  store.reset();
  remake_store(path, directory / "kept.tq", [&](Environment& made) {
    Filler filler(made);
    put_intake_end(filler.txn(0), end);
    filler.finish();
  });
  store = open();
  BOOST_TEST(store->intake_is_pending());
  BOOST_TEST(take() == (std::vector<std::string>{"two"}), boost::test_tools::per_element());
  BOOST_TEST(add("three") == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
