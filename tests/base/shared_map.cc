#include "base/shared_map.hpp"

#include "support/temp_dir.hpp"

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

#include <cstring>

namespace tq::base {
namespace {

BOOST_AUTO_TEST_SUITE(shared_map)

BOOST_AUTO_TEST_CASE(who_maps_the_same_file_sees_what_others_write_and_it_stays) {
  const test::TempDir directory;
  {
    const SharedMap one(directory / "map", 4096);
    const SharedMap other(directory / "map", 4096);
    BOOST_TEST(static_cast<const char*>(one.get())[4095] == '\0');
    std::strcpy(static_cast<char*>(one.get()), "hello");
    BOOST_TEST(static_cast<const char*>(other.get()) == std::string("hello"));
  }
  const SharedMap again(directory / "map", 4096);
  BOOST_TEST(static_cast<const char*>(again.get()) == std::string("hello"));
}

BOOST_AUTO_TEST_CASE(without_a_path_it_is_private) {
  const SharedMap one("", 4096);
  const SharedMap other("", 4096);
  std::strcpy(static_cast<char*>(one.get()), "hello");
  BOOST_TEST(static_cast<const char*>(other.get()) == std::string());
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_made_is_named) {
  BOOST_CHECK_EXCEPTION(SharedMap("/nowhere/map", 4096), IoError, [](const IoError& error) {
    return std::string(error.what()).find("/nowhere/map") != std::string::npos;
  });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::base
