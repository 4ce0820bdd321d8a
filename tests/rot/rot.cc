// Flipped bits, zeroed and swapped pages, cut off files and lost writes, in any file of a store that keeps data. Either check()
// or the reading verb reports it, or every answer is right.
#include "rot/judge.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace tq::test {
namespace {

std::uint64_t rounds() {
  const char* const text = std::getenv("TQ_TEST_ROUNDS");
  return text == nullptr ? 1'000 : std::strtoull(text, nullptr, 10);
}

// 1234567 as "1,234,567".
std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3)
    text.insert(static_cast<std::size_t>(at), ",");
  return text;
}

void say_what_is_bad(const Verdicts& verdicts) {
  BOOST_TEST_MESSAGE(verdicts.all() << " damages");
  for (const std::string& bad : verdicts.bad) BOOST_ERROR(bad);
}

BOOST_AUTO_TEST_SUITE(rot)

BOOST_AUTO_TEST_CASE(is_reported_or_harmless) {
  const TempDir directory;
  const Case subject = make_case(directory.path());
  const std::uint64_t half = rounds() / 2;
  Verdicts checked;
  for (const bool alive : {true, false}) {
    // If the worker is dead, opening the store changes it before anybody can ask for a check.
    const Verdicts some = judge(subject, directory.path(), test_seed(), alive ? 0 : half, half, Way::checked, alive);
    for (std::size_t i = 0; i < kVerdicts; ++i) checked.count[i] += some.count[i];
    say_what_is_bad(some);
  }
  // Most commands do not check. They answer wrong now and then, which shows that a wrong answer would be noticed above; and LMDB
  // may go where there is nothing, for which `tq` has a sentence (cli/fault.hpp).
  const std::uint64_t unchecked = std::max<std::uint64_t>(rounds() / 20, 400);
  const Verdicts plain = judge(subject, directory.path(), test_seed(), 0, unchecked, Way::plain, true);
  BOOST_TEST(plain[Verdict::wrong] > 0u);
  BOOST_TEST(plain[Verdict::hung] == 0u);
  std::printf(
      "proved: %s damages (seed %llu): %s reported, %s harmless, %s silently wrong, %s crashes of check; of %s read "
      "without "
      "a check %s brought the reader down\n",
      grouped(checked.all()).c_str(), static_cast<unsigned long long>(test_seed()),
      grouped(checked[Verdict::reported]).c_str(), grouped(checked[Verdict::harmless]).c_str(),
      grouped(checked[Verdict::wrong]).c_str(), grouped(checked[Verdict::crashed] + checked[Verdict::hung]).c_str(),
      grouped(plain.all()).c_str(), grouped(plain[Verdict::crashed]).c_str());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::test
