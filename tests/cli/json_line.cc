#include "cli/json_line.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::cli {
namespace {

BOOST_AUTO_TEST_SUITE(cli_json_line)

BOOST_AUTO_TEST_CASE(our_json_escapes_what_it_must) {
  BOOST_TEST(json_string("a\"\\\n\x01\x7f") == "\"a\\\"\\\\\\n\\u0001\x7f\"");
  BOOST_TEST(json_string("\xff") == R"({"base64":"/w=="})");
  BOOST_TEST(Json().text() == "{}");
  const std::string text = Json::line().add("n", -1).add("d", 0.5).add("b", true).add("o", std::optional<int>()).text();
  BOOST_TEST(text == R"({"v":1,"n":-1,"d":0.5,"b":true,"o":null})");
  BOOST_TEST(Json().add_named("a\"\xff", "x").text() == "{\"a\\\"\xef\xbf\xbd\":\"x\"}");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
