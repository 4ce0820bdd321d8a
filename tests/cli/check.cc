#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <unistd.h>

namespace tq::test {
namespace {

// Changes each place where `bytes` stand in the file.
void damage(const std::string& path, const std::string& bytes) {
  const auto fd = base::open_file(path, O_RDWR);
  const std::string all = base::read_all(fd.get(), path);
  for (std::size_t at = all.find(bytes); at != all.npos; at = all.find(bytes, at + 1)) {
    BOOST_REQUIRE(::pwrite(fd.get(), "!", 1, static_cast<off_t>(at)) == 1);
  }
}

BOOST_AUTO_TEST_SUITE(cli_check)

BOOST_AUTO_TEST_CASE(check_finds_nothing_in_a_sound_store) {
  const Sandbox sandbox;
  sandbox.ok({"add", "--", "true"});
  const Ended ended = sandbox.tq({"check", "--deep"});
  TQ_CHECK_ENDED(ended, 0);
  BOOST_TEST(ended.out == "");
  BOOST_TEST(contains(ended.err, "no problems"));
  BOOST_TEST(sandbox.tq({"-q", "check"}).err == "");
  BOOST_TEST(contains(sandbox.ok({"check", "--json"}), "\"problems\":[]}"));
}

BOOST_AUTO_TEST_CASE(check_finds_damage) {
  Sandbox sandbox;
  sandbox.checks_at_end = false;
  sandbox.ok({"put", "t", "--raw", "a payload that is easily found"});
  damage(sandbox.store(), "a payload that is easily found");
  const Ended ended = sandbox.tq({"check"});
  TQ_CHECK_ENDED(ended, 7);
  BOOST_TEST(!lines(ended.out).empty());
  const Ended json = sandbox.tq({"check", "--json"});
  TQ_CHECK_ENDED(json, 7);
  BOOST_TEST(lines(json.out).size() == 1u);
  TQ_CHECK_ENDED(sandbox.tq({"show", "1"}), 7);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
