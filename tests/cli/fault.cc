// A store that is damaged where nothing can be proven before it is read.
#include "cli/sandbox.hpp"

#include <boost/test/unit_test.hpp>

namespace tq::test {
namespace {

BOOST_AUTO_TEST_SUITE(fault)

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
BOOST_AUTO_TEST_CASE(a_fault_ends_with_a_sentence_and_check_says_what_it_was) {
  Sandbox sandbox;
  sandbox.checks_at_end = false;
  for (int i = 0; i < 60; ++i) sandbox.ok({"add", "--label", "label", "--", "true"});
  sandbox.ok({"ls", "-q"});
  const std::string whole = sandbox.read("jobs.tq");
  std::size_t faults = 0;
  for (std::size_t page = 2; page < whole.size() / 4096; ++page) {
    std::string bytes = whole;
    for (std::size_t i = 16; i < 4096; ++i) bytes[page * 4096 + i] = '\xff';  // so that all places are outside
    sandbox.write("jobs.tq", bytes);
    const Ended ended = sandbox.tq({"ls", "-q"});
    BOOST_TEST((ended.code == 0 || ended.code == 7));
    if (ended.err.find("a fault while using") == ended.err.npos) continue;
    ++faults;
    TQ_CHECK_ENDED(ended, 7);
    const Ended checked = sandbox.tq({"check"});
    TQ_CHECK_ENDED(checked, 7);
    BOOST_TEST(checked.out.find("entry 0 does not lie within it") != checked.out.npos);
  }
  BOOST_TEST(faults > 0u);
}
#endif

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
