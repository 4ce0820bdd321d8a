#include "cli/lines.hpp"

#include "base/fd.hpp"
#include "support/random.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/mman.h>
#include <unistd.h>

namespace tq::cli {
namespace {

using Words = std::vector<std::string>;

// A descriptor from which the bytes can be read.
base::Fd file_of(const std::string& bytes) {
  base::Fd fd(::memfd_create("test", MFD_CLOEXEC));
  base::write_all(fd.get(), bytes, "a file in memory");
  ::lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

BOOST_AUTO_TEST_SUITE(cli_lines)

BOOST_AUTO_TEST_CASE(lines_are_found_wherever_the_pieces_end) {
  test::Random random;
  for (int round = 0; round < 20; ++round) {
    Words expected;
    std::string all;
    const std::size_t count = random.below(2000);
    for (std::size_t i = 0; i < count; ++i) {
      expected.push_back(random.text(random.chance(5) ? 100'000 : 60));
      all += expected.back() + "\n";
    }
    if (random.chance(50) && !expected.empty() && !expected.back().empty()) all.pop_back();
    const base::Fd fd = file_of(all);
    Lines lines(fd.get(), "a test");
    Words found;
    while (const auto line = lines.next()) found.emplace_back(*line);
    BOOST_TEST((found == expected));
    BOOST_TEST(!lines.next());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::cli
