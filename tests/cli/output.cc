#include "cli/output.hpp"

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace tq::cli {
namespace {

BOOST_AUTO_TEST_SUITE(cli_output)

BOOST_AUTO_TEST_CASE(text_is_made_such_that_a_terminal_can_stand_it) {
  BOOST_TEST(printable("plain ü漢") == "plain ü漢");
  BOOST_TEST(printable("a\nb\tc\rd") == "a\\nb\\tc\\x0dd");
  BOOST_TEST(printable(std::string("\0\x7f\x1b", 3)) == "\\x00\\x7f\\x1b");
  BOOST_TEST(printable("\xc2\x80\xc2\x9f\xc2\xa0") == "\\x80\\x9f\xc2\xa0");
  BOOST_TEST(printable("\xff\xc2") == "\xef\xbf\xbd\xef\xbf\xbd");
}

BOOST_AUTO_TEST_CASE(a_failure_to_write_is_not_overlooked) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  Output out(full);
  out.line("text");
  BOOST_CHECK_THROW(out.flush(), IoError);
  BOOST_CHECK_NO_THROW(out.flush());  // it has been said
  BOOST_CHECK_THROW(out.write(std::string(1 << 20, 'x')), IoError);
  ::close(full);
}

BOOST_AUTO_TEST_CASE(a_reader_that_went_away_is_no_error) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  ::close(ends[0]);
  Output out(ends[1]);
  out.line("text");
  BOOST_CHECK_THROW(out.flush(), OutputClosed);
  ::close(ends[1]);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
