#include "cli/job_text.hpp"

#include "cli/progress.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::cli {
namespace {

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(cli_job_text)

BOOST_AUTO_TEST_CASE(words_for_people) {
  BOOST_TEST(command_line({"echo", "", "a b", "it's", "ü", "$x"}) == "echo '' 'a b' 'it'\\''s' ü '$x'");
  BOOST_TEST(short_duration(59s) == "59s");
  BOOST_TEST(short_duration(61min) == "1h");
  BOOST_TEST(short_duration(49h) == "2d");
  BOOST_TEST(short_duration(-5s) == "-5s");
  BOOST_TEST(took(999ms) == "999ms");
  BOOST_TEST(took(1234ms) == "1.2s");
  BOOST_TEST(took(61'500ms) == "1m1s");
  BOOST_TEST(took(-1s) == "0ms");
  BOOST_TEST(byte_count(999) == "999 bytes");
  BOOST_TEST(byte_count(1'234'000) == "1.2 MB");
  BOOST_TEST(count_of(1, "job") == "1 job");
  BOOST_TEST(count_of(0, "job") == "0 jobs");
  BOOST_TEST(bar(0) == "[........................]");
  BOOST_TEST(bar(2) == "[########################]");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
