#include "store/side_file.hpp"

#include "store_test.hpp"

#include <set>

namespace tq::store {
namespace {

struct SideFileTest : StoreTest {
  std::shared_ptr<Environment> store = open();

  std::set<std::string> idle() const {
    std::set<std::string> names;
    visit_idle_side_files(*store,
                          [&](const std::vector<std::string>& batch) { names.insert(batch.begin(), batch.end()); });
    return names;
  }
};

BOOST_FIXTURE_TEST_SUITE(side_file, SideFileTest)

BOOST_AUTO_TEST_CASE(names_are_sixteen_hexadecimal_digits_and_differ) {
  std::set<std::string> names;
  for (int i = 0; i < 100; ++i) names.insert(SideFile(*store, "x").name());
  BOOST_TEST(names.size() == 100u);
  for (const std::string& name : names) {
    BOOST_TEST(name.size() == 16u);
    BOOST_TEST(name.find_first_not_of("0123456789abcdef") == name.npos);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_kept_is_removed_and_what_is_kept_stays) {
  std::string dropped;
  std::string kept;
  {
    const SideFile first(*store, "first");
    SideFile second(*store, "second");
    dropped = first.name();
    kept = second.name();
    second.keep();
  }
  BOOST_TEST(!read_side_file(*store, dropped).has_value());
  BOOST_TEST(read_side_file(*store, kept).value() == "second");
  BOOST_TEST(side_file_size(*store, kept).value() == 6u);
  BOOST_TEST(!side_file_size(*store, dropped).has_value());
  remove_side_file(*store, kept);
  remove_side_file(*store, kept);  // nothing is there to remove
  BOOST_TEST(!read_side_file(*store, kept).has_value());
}

BOOST_AUTO_TEST_CASE(a_moved_one_is_removed_once_by_its_last_owner) {
  SideFile first(*store, "x");
  const std::string name = first.name();
  {
    const SideFile second = std::move(first);
    BOOST_TEST(side_file_size(*store, name).has_value());
  }
  BOOST_TEST(!side_file_size(*store, name).has_value());
}

BOOST_AUTO_TEST_CASE(one_that_is_being_written_is_not_idle) {
  SideFile file(*store, "x");
  BOOST_TEST(idle().empty());
  file.keep();
  BOOST_TEST(idle() == std::set<std::string>{file.name()});
}

BOOST_AUTO_TEST_CASE(one_that_cannot_be_read_is_an_error_not_a_miss) {
  SideFile file(*store, "x");
  const std::string at = side_file_path(*store, file.name());
  file.keep();
  std::filesystem::remove(at);
  std::filesystem::create_directory(at);
  BOOST_TEST(throws<IoError>([&] { read_side_file(*store, file.name()); }, at));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
