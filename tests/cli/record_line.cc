#include "cli/record_line.hpp"

#include "support/message_of.hpp"

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

#include <limits>

namespace tq::cli {
namespace {

BOOST_AUTO_TEST_SUITE(record_line)

BOOST_AUTO_TEST_CASE(a_record_comes_back_from_its_line) {
  const Record record{"job",
                      {{"a", true},
                       {"b", std::numeric_limits<std::uint64_t>::max()},
                       {"c", std::numeric_limits<std::int64_t>::min()},
                       {"d", std::string("\xff\0\"", 3)},
                       {"e", std::string("text \"\n")},
                       {"f", std::vector<std::string>{"", "x"}},
                       {"g", std::vector<std::string>{}}}};
  BOOST_TEST(to_line(record) == R"({"v":1,"kind":"job","a":true,"b":18446744073709551615,"c":-9223372036854775808,)"
                                R"("d":{"base64":"/wAi"},"e":"text \"\n","f":["","x"],"g":[]})");
  BOOST_TEST((read_record(to_line(record)) == record));
}

BOOST_AUTO_TEST_CASE(what_is_no_such_line_is_refused) {
  const auto refusal = [](std::string_view line) {
    return test::message_of<InvalidArgument>([line] { read_record(line); });
  };
  BOOST_TEST(refusal("[]") == "it is JSON, but no object");
  BOOST_TEST(refusal("{}") == "it has no 'kind'");
  BOOST_TEST(refusal(R"({"kind":1})") == "it has no 'kind'");
  BOOST_TEST(refusal(R"({"kind":"x","a":null})").starts_with("a: it is neither text"));
  BOOST_TEST(refusal(R"({"kind":"x","a":1.5})").starts_with("a: it is neither text"));
  BOOST_TEST(refusal(R"({"kind":"x","a":{"base64":"?"}})").starts_with("a: it is no base64"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
