// Random values that can be had again: the seed is TQ_TEST_SEED or 1, and every failed check says which it was.
#pragma once

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace tq::test {

inline std::uint64_t test_seed() {
  const char* const text = std::getenv("TQ_TEST_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

// One thread at a time; made and destroyed within one test case. Without std's distributions, which differ between libraries.
class Random {
 public:
  explicit Random(std::uint64_t seed = test_seed())
      : engine_(seed),
        context_(boost::unit_test::framework::add_context(BOOST_TEST_LAZY_MSG("TQ_TEST_SEED=" << seed), true)) {}
  ~Random() { boost::unit_test::framework::clear_context(context_); }
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;

  std::uint64_t number() { return engine_(); }
  // 0 to `end` - 1.
  std::uint64_t below(std::uint64_t end) { return engine_() % end; }
  // Both ends included.
  std::int64_t between(std::int64_t first, std::int64_t last) {
    const std::uint64_t choices = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) + 1;
    const std::uint64_t choice = choices == 0 ? number() : below(choices);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + choice);
  }
  bool chance(unsigned percent) { return below(100) < percent; }
  // Any value of the type, its ends and 0 more often than the others.
  template <class Number>
  Number any() {
    switch (below(8)) {
      case 0:
        return 0;
      case 1:
        return std::numeric_limits<Number>::max();
      case 2:
        return std::numeric_limits<Number>::min();
      default:
        return static_cast<Number>(number());
    }
  }
  // `max_size` bytes or fewer, of any value.
  std::string bytes(std::size_t max_size) { return string(max_size, 256); }
  // The same of printable ASCII.
  std::string text(std::size_t max_size) {
    std::string text = string(max_size, 95);
    for (char& c : text) c = static_cast<char>(c + ' ');
    return text;
  }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from.at(below(from.size()));
  }

 private:
  std::string string(std::size_t max_size, unsigned values) {
    std::string string(below(max_size + 1), '\0');
    for (char& c : string) c = static_cast<char>(below(values));
    return string;
  }

  std::mt19937_64 engine_;
  int context_;
};

}  // namespace tq::test
