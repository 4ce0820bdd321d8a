#include "cli/json_text.hpp"

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

namespace tq::cli {
namespace {

BOOST_AUTO_TEST_SUITE(cli_json_text)

BOOST_AUTO_TEST_CASE(json_of_others_keeps_its_spelling) {
  BOOST_TEST(one_line("{\n \"a b\" : [ 1.50 , \"x \\\" y\" ]\r\n}\t") == R"({"a b":[1.50,"x \" y"]})");
  BOOST_TEST(is_json("1e999") == false);
  BOOST_TEST(is_json("[1,]") == false);
  BOOST_CHECK_NO_THROW(check_json(std::string(100'000, '[') + std::string(100'000, ']')));
  BOOST_CHECK_THROW(check_json(""), InvalidArgument);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
