#include "cli/parse.hpp"

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

namespace tq::cli {
namespace {

using Words = std::vector<std::string>;

struct Example {
  bool flag = false;
  bool other = false;
  std::string value;
  Words each;
  Words ids;
  Words command;
  Parameters parameters;

  explicit Example(bool takes_command = false) {
    parameters.flag("-a,--flag", flag, "a flag");
    parameters.flag("-b", other, "another");
    parameters.option("-v,--value", "VALUE", value, "a value");
    parameters.each(
        "--each", "X", [this](const std::string& text) { each.push_back(text); }, "several");
    if (takes_command) {
      parameters.command(command);
    } else {
      parameters.positional({"ID", Offer::jobs, true, true, [this](const std::string& text) { ids.push_back(text); }});
    }
  }
  std::string_view parse(const Words& words) { return cli::parse(parameters, words); }
};

BOOST_AUTO_TEST_SUITE(cli_parse)

BOOST_AUTO_TEST_CASE(options_may_stand_among_arguments) {
  Example example;
  BOOST_TEST(example.parse({"1", "-ab", "2", "--value", "x", "--each=a", "--each", "b", "5", "--", "-6"}) == "");
  BOOST_TEST(example.flag);
  BOOST_TEST(example.other);
  BOOST_TEST(example.value == "x");
  BOOST_TEST(example.each == (Words{"a", "b"}));
  BOOST_TEST(example.ids == (Words{"1", "2", "5", "-6"}));
}

BOOST_AUTO_TEST_CASE(flags_and_a_value_may_be_written_together) {
  Example example;
  BOOST_TEST(example.parse({"-abvx", "1"}) == "");
  BOOST_TEST(example.value == "x");
  Example last;
  last.parse({"-v", "a", "-v", "-5", "1"});
  BOOST_TEST(last.value == "-5");
}

BOOST_AUTO_TEST_CASE(what_is_missing_is_named) {
  BOOST_TEST(Example().parse({"-a"}) == "ID");
  BOOST_TEST(Example(true).parse({"-a"}) == "COMMAND");
  BOOST_CHECK_THROW(Example().parse({"1", "--value"}), InvalidArgument);
  BOOST_CHECK_THROW(Example().parse({"1", "--value="}), InvalidArgument);
  BOOST_CHECK_THROW(Example().parse({"1", "--nothing"}), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(a_command_begins_where_the_options_end) {
  const auto command = [](const Words& words) {
    Example example(true);
    example.parse(words);
    return example.command;
  };
  BOOST_TEST(command({"-a", "sh", "-c", "-v"}) == (Words{"sh", "-c", "-v"}));
  BOOST_TEST(command({"-av", "x", "sh"}) == (Words{"sh"}));
  BOOST_TEST(command({"--", "--", "x"}) == (Words{"--", "x"}));
  BOOST_TEST(command({"--", "-a", "--", "x"}) == (Words{"-a", "--", "x"}));
  BOOST_TEST(command({"--each=x", "", "y"}) == (Words{"", "y"}));
  BOOST_TEST(command({"-v5", "-", "y"}) == (Words{"-", "y"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
