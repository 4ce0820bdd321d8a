#include "cli/table.hpp"

#include "base/fd.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/mman.h>
#include <unistd.h>

namespace tq::cli {
namespace {

std::string printed(const Table& table, std::size_t width, bool with_titles = true) {
  const base::Fd fd(::memfd_create("test", MFD_CLOEXEC));
  Output out(fd.get());
  Terminal terminal;
  terminal.width = width;
  table.print(out, terminal, with_titles);
  out.flush();
  ::lseek(fd.get(), 0, SEEK_SET);
  return base::read_all(fd.get(), "a file in memory");
}

BOOST_AUTO_TEST_SUITE(cli_table)

BOOST_AUTO_TEST_CASE(columns_are_aligned_and_fit) {
  Table table({{"N", true}, {"NAME"}, {"TEXT"}});
  table.row({{"1"}, {"ä漢"}, {"a text that is long"}});
  table.row({{"22"}, {""}, {"b\n"}});
  BOOST_TEST(printed(table, 0) == " N  NAME  TEXT\n 1  ä漢   a text that is long\n22        b\\n\n");
  BOOST_TEST(printed(table, 20, false) == " 1  ä漢  a text tha…\n22       b\\n\n");
  BOOST_TEST(printed(table, 5, false) == " 1  ä漢  a text …\n22       b\\n\n");  // too narrow for anything else
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
