#include "cli/terminal.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::cli {
namespace {

BOOST_AUTO_TEST_SUITE(cli_terminal)

BOOST_AUTO_TEST_CASE(widths_are_those_of_characters) {
  BOOST_TEST(display_width("e\xcc\x81") == 1u);  // with an accent of its own
  BOOST_TEST(display_width("漢字") == 4u);
  BOOST_TEST(cut_to_width("漢字", 3) == "漢…");
  BOOST_TEST(cut_to_width("漢字", 2) == "…");
  BOOST_TEST(cut_to_width("abc", 3) == "abc");
  BOOST_TEST(cut_to_width("abc", 0) == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
