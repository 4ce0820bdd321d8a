#include "store/making.hpp"

#include "base/failpoint.hpp"
#include "store/blob.hpp"
#include "store_test.hpp"

#include <array>
#include <stdexcept>
#include <vector>

namespace tq::store {
namespace {

constexpr std::array kMakingSteps = {"store.make.begin",       "store.make.filled",   "store.create.begin",
                                     "store.create.written",   "store.create.synced", "store.create.named",
                                     "store.create.directory", "store.create.end"};
constexpr std::array kRemakingSteps = {"store.make.begin", "store.make.filled", "store.make.synced", "store.make.kept",
                                       "store.make.end"};
constexpr std::array kAsideSteps = {"store.aside.data", "store.aside.side", "store.aside.side"};  // the last: 2nd time

void fill_one(Environment& made) {
  Filler filler(made);
  filler.put(Row{1}, "one");
  filler.finish();
}

// The store whose place the one in the making is going to take.
std::shared_ptr<Environment> open_old(const Environment& made) {
  return Environment::open_alone(made.path(), made.path(), false);
}

void fill_anew(Environment& made) {
  Filler filler(made);
  filler.put(Row{1}, get_row(*open_old(made), 1).value() + ", made anew");
  filler.finish();
}

struct MakingTest : StoreTest {
  const std::string kept = directory / "kept.tq";

  ~MakingTest() { base::failpoint::arm(""); }

  std::string row(const std::string& of) const {
    return get_row(*Environment::open(of, {.create = false}), 1).value_or("nothing");
  }
  void remove(const std::string& store) const {
    for (const char* suffix : {"", "-lock", "-locks", "-intake", "-intake-ends"})
      std::filesystem::remove(store + suffix);
    std::filesystem::remove_all(store + "-blobs");
  }
  // A store with something in each of its files.
  void make_full() const {
    const auto store = open();
    PreparedBlob blob(*store, std::string(100'000, 'b'));
    WriteTransaction txn = store->write();
    put(txn, Row{1}, "one");
    put_blob(txn, 1, BlobKind::payload, std::move(blob));
    txn.commit();
    BOOST_TEST(store->add_to_intake("pending").number == 1u);
  }
  void check_full(const std::string& at) const {
    const auto store = Environment::open(at, {.create = false});
    BOOST_TEST(get_row(*store, 1).value_or("nothing") == "one");
    BOOST_CHECK(get_blob(store->read(), 1, BlobKind::payload) == std::string(100'000, 'b'));
    BOOST_TEST(store->intake_is_pending());
  }
};

BOOST_FIXTURE_TEST_SUITE(making, MakingTest)

// --- make_store ---

BOOST_AUTO_TEST_CASE(what_is_made_is_whole_and_opens) {
  make_store(path, fill_one);
  BOOST_TEST(row(path) == "one");
  BOOST_TEST(!exists(side("-new")));
  BOOST_TEST(!exists(side("-new-lock")));
  BOOST_TEST(std::filesystem::hard_link_count(path) == 1u);
  BOOST_TEST(mode_of(path) == 0600u);
}

BOOST_AUTO_TEST_CASE(directories_on_the_way_are_made) {
  const std::string deep = directory / "a/b/jobs.tq";
  make_store(deep, fill_one);
  BOOST_TEST(row(deep) == "one");
}

BOOST_AUTO_TEST_CASE(nothing_of_that_name_is_seen_while_it_is_filled) {
  make_store(path, [&](Environment& made) {
    BOOST_TEST(!exists(path));
    fill_one(made);
    BOOST_TEST(!exists(path));
  });
  BOOST_TEST(exists(path));
}

BOOST_AUTO_TEST_CASE(what_fill_throws_is_passed_on_and_leaves_no_store) {
  const auto make = [&] {
    make_store(path, [](Environment& made) {
      fill_one(made);
      throw std::runtime_error("no more");
    });
  };
  BOOST_TEST(throws<std::runtime_error>(make, "no more"));
  BOOST_TEST(!exists(path));
  BOOST_TEST(!exists(side("-new")));
  make_store(path, fill_one);
  BOOST_TEST(row(path) == "one");
}

BOOST_AUTO_TEST_CASE(it_is_refused_where_there_is_a_file) {
  put_row(*open(), 1, "mine");
  const auto never = [](Environment&) { BOOST_ERROR("was filled"); };
  BOOST_TEST(throws<Conflict>([&] { make_store(path, never); }, "there is a file '" + path + "' already"));
  BOOST_TEST(row(path) == "mine");
}

BOOST_AUTO_TEST_CASE(it_is_refused_beside_the_intake_of_another_store) {
  write_file(side("-intake"), "jobs of another");
  BOOST_TEST(throws<Conflict>([&] { make_store(path, fill_one); }, "is left of another store"));
  BOOST_TEST(!exists(path));
  BOOST_TEST(read_file(side("-intake")) == "jobs of another");
}

BOOST_AUTO_TEST_CASE(it_is_refused_while_somebody_has_the_store_open_that_was_there) {
  const auto store = open();
  std::filesystem::remove(path);
  BOOST_TEST(throws<Conflict>([&] { make_store(path, fill_one); }, "has '" + path + "' open"));
  BOOST_TEST(!exists(path));
}

BOOST_AUTO_TEST_CASE(who_opens_it_meanwhile_waits_and_finds_it_full) {
  Signal filling;
  Child other([&] {
    filling.wait();
    ensure(get_row(*open(), 1) == "one", "is not full");
  });
  make_store(path, [&](Environment& made) {
    filling.raise();
    fill_one(made);
  });
  BOOST_TEST(other.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_failure_at_any_step_leaves_no_store_or_a_whole_one) {
  for (const std::string step : kMakingSteps) {
    for (const std::string action : {"=error", "=full"}) {
      base::failpoint::arm(step + action);
      BOOST_TEST(throws<IoError>([&] { make_store(path, fill_one); }, path), step << action);
      base::failpoint::arm("");
      if (!exists(path)) {
        BOOST_TEST(!exists(side("-new")), step << action);
        make_store(path, fill_one);
      }
      BOOST_TEST(row(path) == "one", step << action);
      BOOST_TEST(std::filesystem::hard_link_count(path) == 1u, step << action);
      remove(path);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_death_at_any_step_leaves_no_store_or_a_whole_one) {
  for (const char* step : kMakingSteps) {
    const int status = in_child([&] {
      base::failpoint::arm(step);
      make_store(path, fill_one);
    });
    BOOST_TEST(status == 137, step);
    if (!exists(path)) make_store(path, fill_one);
    BOOST_TEST(row(path) == "one", step);
    BOOST_TEST(!exists(side("-new")), step);
    remove(path);
  }
}

// --- remake_store ---

BOOST_AUTO_TEST_CASE(a_store_that_is_made_anew_takes_the_place_of_the_old_one_which_is_kept) {
  put_row(*open(), 1, "one");
  remake_store(path, kept, fill_anew);
  BOOST_TEST(row(path) == "one, made anew");
  BOOST_TEST(row(kept) == "one");
  BOOST_TEST(!exists(side("-new")));
  BOOST_TEST(std::filesystem::hard_link_count(path) == 1u);
  BOOST_TEST(std::filesystem::hard_link_count(kept) == 1u);
}

BOOST_AUTO_TEST_CASE(intake_and_side_files_stay_where_they_are) {
  make_full();
  remake_store(path, kept, [](Environment& made) {
    const auto old = open_old(made);
    const auto bytes = get_blob(old->read(), 1, BlobKind::payload);
    BOOST_CHECK(bytes == std::string(100'000, 'b'));
    BOOST_TEST(old->side_path("-blobs") == made.side_path("-blobs"));
    PreparedBlob blob(made, *bytes);
    Filler filler(made);
    filler.put(Row{1}, "one");
    put_blob(filler.txn(1), 1, BlobKind::payload, std::move(blob));
    filler.finish();
  });
  check_full(path);
  BOOST_TEST(!exists(kept + "-intake"));
  BOOST_TEST(!exists(kept + "-blobs"));
}

BOOST_AUTO_TEST_CASE(the_old_one_is_only_read) {
  put_row(*open(), 1, "one");
  remake_store(path, kept, [](Environment& made) {
    BOOST_CHECK_THROW(put_row(*open_old(made), 1, "other"), std::exception);
    fill_anew(made);
  });
  BOOST_TEST(row(kept) == "one");
}

BOOST_AUTO_TEST_CASE(making_anew_is_refused_while_it_is_open_and_where_nothing_is) {
  BOOST_TEST(throws<NotFound>([&] { remake_store(path, kept, fill_anew); }, "there is no store"));
  const auto store = open();
  put_row(*store, 1, "one");
  BOOST_TEST(throws<Conflict>([&] { remake_store(path, kept, fill_anew); }, "has '" + path + "' open"));
  BOOST_TEST(!exists(kept));
  BOOST_TEST(get_row(*store, 1).value() == "one");
}

BOOST_AUTO_TEST_CASE(making_anew_is_refused_if_an_earlier_one_was_kept) {
  put_row(*open(), 1, "one");
  write_file(kept, "of an earlier time");
  BOOST_TEST(throws<Conflict>([&] { remake_store(path, kept, fill_anew); }, "from an earlier repair"));
  BOOST_TEST(read_file(kept) == "of an earlier time");
  BOOST_TEST(row(path) == "one");
}

BOOST_AUTO_TEST_CASE(it_works_again_after_a_death_between_the_second_name_and_the_exchange) {
  put_row(*open(), 1, "one");
  std::filesystem::create_hard_link(path, kept);
  write_file(side("-new"), "half of a sto");
  BOOST_TEST(row(path) == "one");  // whoever opens it meanwhile is not disturbed
  remake_store(path, kept, fill_anew);
  BOOST_TEST(row(path) == "one, made anew");
  BOOST_TEST(row(kept) == "one");
  BOOST_TEST(!exists(side("-new")));
}

BOOST_AUTO_TEST_CASE(what_fill_throws_leaves_the_old_one_alone) {
  put_row(*open(), 1, "one");
  const auto make = [&] {
    remake_store(path, kept, [](Environment& made) {
      fill_anew(made);
      throw std::runtime_error("no more");
    });
  };
  BOOST_TEST(throws<std::runtime_error>(make, "no more"));
  BOOST_TEST(row(path) == "one");
  BOOST_TEST(!exists(kept));
  BOOST_TEST(!exists(side("-new")));
}

BOOST_AUTO_TEST_CASE(a_failure_at_any_step_of_making_anew_leaves_the_old_one_or_the_new_one) {
  for (const std::string step : kRemakingSteps) {
    for (const std::string action : {"=error", "=full"}) {
      put_row(*open(), 1, "one");
      base::failpoint::arm(step + action);
      BOOST_TEST(throws<IoError>([&] { remake_store(path, kept, fill_anew); }, path), step << action);
      base::failpoint::arm("");
      BOOST_TEST(!exists(side("-new")), step << action);
      if (row(path) == "one") remake_store(path, kept, fill_anew);
      BOOST_TEST(row(path) == "one, made anew", step << action);
      BOOST_TEST(row(kept) == "one", step << action);
      remove(path);
      remove(kept);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_death_at_any_step_of_making_anew_leaves_the_old_one_or_the_new_one) {
  for (const std::string step : kRemakingSteps) {
    put_row(*open(), 1, "one");
    const int status = in_child([&] {
      base::failpoint::arm(step);
      remake_store(path, kept, fill_anew);
    });
    BOOST_TEST(status == 137, step);
    BOOST_TEST((row(path) == "one") == (step != "store.make.end"), step);
    if (row(path) == "one") remake_store(path, kept, fill_anew);
    BOOST_TEST(row(path) == "one, made anew", step);
    BOOST_TEST(row(kept) == "one", step);
    BOOST_TEST(!exists(side("-new")), step);
    remove(path);
    remove(kept);
  }
}

BOOST_AUTO_TEST_CASE(a_store_without_a_name_is_gone_when_it_is_closed) {
  make_full();
  {
    const auto nameless = make_nameless(path, fill_one);
    BOOST_TEST(get_row(*nameless, 1).value_or("nothing") == "one");
    BOOST_TEST(nameless->side_path("-blobs") == side("-blobs"));
    BOOST_TEST(!exists(side("-salvaged")));
  }
  check_full(path);
  const auto make = [&] { make_nameless(path, [](Environment&) { throw std::runtime_error("no more"); }); };
  BOOST_TEST(throws<std::runtime_error>(make, "no more"));
  BOOST_TEST(!exists(side("-salvaged")));
}

// --- set_aside ---

BOOST_AUTO_TEST_CASE(a_store_is_set_aside_with_all_that_belongs_to_it) {
  make_full();
  set_aside(path, kept);
  for (const char* suffix : {"", "-intake", "-blobs"}) BOOST_TEST(!exists(side(suffix)), suffix);
  BOOST_TEST(!is_half_aside(path, kept));
  check_full(kept);
  make_store(path, fill_one);
  BOOST_TEST(row(path) == "one");
}

BOOST_AUTO_TEST_CASE(where_there_is_no_store_nothing_is_set_aside) {
  set_aside(path, kept);
  BOOST_TEST(!exists(kept));
  BOOST_TEST(!is_half_aside(path, kept));
}

BOOST_AUTO_TEST_CASE(a_store_that_is_half_aside_is_told_and_goes_on_from_there) {
  make_full();
  BOOST_TEST(!is_half_aside(path, kept));
  std::filesystem::rename(path, kept);
  BOOST_TEST(is_half_aside(path, kept));
  set_aside(path, kept);
  BOOST_TEST(!is_half_aside(path, kept));
  check_full(kept);
}

BOOST_AUTO_TEST_CASE(setting_aside_is_refused_while_it_is_open_and_where_something_is_in_the_way) {
  put_row(*open(), 1, "one");
  {
    const auto store = open();
    BOOST_TEST(throws<Conflict>([&] { set_aside(path, kept); }, "has '" + path + "' open"));
  }
  write_file(kept, "of an earlier time");
  BOOST_TEST(throws<Conflict>([&] { set_aside(path, kept); }, "from an earlier time"));
  BOOST_TEST(read_file(kept) == "of an earlier time");
  BOOST_TEST(row(path) == "one");
}

BOOST_AUTO_TEST_CASE(setting_aside_goes_on_after_a_failure_or_a_death_at_any_step) {
  for (std::size_t i = 0; i < kAsideSteps.size(); ++i) {
    const std::string step = kAsideSteps[i];
    const std::string when = i == 2 ? "@2" : "";
    make_full();
    base::failpoint::arm(step + "=error" + when);
    BOOST_TEST(throws<IoError>([&] { set_aside(path, kept); }, path), step << when);
    base::failpoint::arm("");
    BOOST_TEST(is_half_aside(path, kept) == (i != 2), step << when);
    set_aside(path, kept);
    check_full(kept);
    remove(kept);

    make_full();
    const int status = in_child([&] {
      base::failpoint::arm(step + "=exit" + when);
      set_aside(path, kept);
    });
    BOOST_TEST(status == 137, step << when);
    set_aside(path, kept);
    BOOST_TEST(!is_half_aside(path, kept), step << when);
    check_full(kept);
    remove(kept);
  }
}

// --- Filler ---

BOOST_AUTO_TEST_CASE(a_large_fill_is_split_into_transactions) {
  constexpr std::uint64_t kRows = 40;
  const std::string value(std::size_t{1} << 20, 'x');
  make_store(path, [&](Environment& made) {
    Filler filler(made);
    for (std::uint64_t id = 1; id <= kRows; ++id) filler.put(Row{id}, value);
    BOOST_TEST(get_row(made, 1).has_value());
    BOOST_TEST(!get_row(made, kRows).has_value());
    filler.finish();
    BOOST_TEST(get_row(made, kRows).has_value());
    filler.finish();  // again: nothing
  });
  const auto store = open();
  for (std::uint64_t id = 1; id <= kRows; ++id) BOOST_TEST((get_row(*store, id) == value));
}

BOOST_AUTO_TEST_CASE(keys_may_come_in_any_order) {
  make_store(path, [&](Environment& made) {
    Filler filler(made);
    for (const std::uint64_t id : {5u, 1u, 3u, 4u, 2u}) filler.put(Row{id}, std::to_string(id));
    filler.finish();
  });
  const auto store = open();
  for (std::uint64_t id = 1; id <= 5; ++id) BOOST_TEST(get_row(*store, id).value_or("") == std::to_string(id));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
