#include "simulation_step.hpp"

#include "support/random.hpp"

#include <algorithm>
#include <ostream>
#include <sstream>

namespace tq::engine {
namespace {

// No number is larger, so that a hundredth of it is still a length of time worth having.
constexpr std::uint64_t kNumbers = 10'000'000;
constexpr std::uint64_t kMostWaitMs = 1000;

struct Kind {
  Verb verb;
  const char* name;
  unsigned share;  // of all steps, in a thousand or so
  std::size_t numbers;
};

constexpr Kind kKinds[] = {
    {Verb::add, "add", 110, 22},
    {Verb::add_many, "add_many", 20, 23},
    {Verb::add_by_intake, "add_by_intake", 80, 22},
    {Verb::come, "come", 22, 8},
    {Verb::claim, "claim", 150, 12},
    {Verb::begin, "begin", 50, 3},
    {Verb::finish, "finish", 210, 30},
    {Verb::report, "report", 15, 4},
    {Verb::save, "save", 10, 3},
    {Verb::write, "write", 30, 16},
    {Verb::crash, "crash", 10, 4},
    {Verb::tell, "tell", 10, 2},
    {Verb::leave, "leave", 8, 1},
    {Verb::die, "die", 12, 2},
    {Verb::cancel, "cancel", 40, 3},
    {Verb::retry, "retry", 40, 1},
    {Verb::remove, "remove", 15, 1},
    {Verb::change, "change", 40, 9},
    {Verb::pause, "pause", 8, 1},
    {Verb::resume, "resume", 12, 1},
    {Verb::configure, "configure", 10, 2},
    {Verb::purge, "purge", 6, 2},
    {Verb::purge_dead, "purge_dead", 8, 2},
    {Verb::fire_due, "fire_due", 60, 1},
    {Verb::collect, "collect", 30, 1},
    {Verb::jump, "jump", 10, 4},
    {Verb::reopen, "reopen", 2, 0},
    {Verb::together, "together", 40, 1},
    {Verb::look, "look", 40, 4},
    {Verb::list, "list", 25, 10},
    {Verb::events, "events", 15, 8},
    {Verb::why, "why", 20, 2},
    {Verb::output, "output", 10, 3},
};

const Kind& kind_of(Verb verb) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds), [&](const Kind& kind) { return kind.verb == verb; });
}

const Kind& random_kind(test::Random& random) {
  static const unsigned all = [] {
    unsigned sum = 0;
    for (const Kind& kind : kKinds) sum += kind.share;
    return sum;
  }();
  std::uint64_t choice = random.below(all);
  const Kind* kind = kKinds;
  for (; choice >= kind->share; ++kind) choice -= kind->share;
  return *kind;
}

// All bytes that any step uses are a part of these.
const std::string& many_bytes() {
  static const std::string bytes = [] {
    std::string made(100'000, '\0');
    std::uint32_t state = 1;
    for (char& c : made) c = static_cast<char>((state = state * 1'664'525 + 1'013'904'223) >> 24);
    return made;
  }();
  return bytes;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Step& step) {
  out << "{Verb::" << kind_of(step.verb).name << ", " << step.wait_ms << ", {";
  for (std::size_t i = 0; i < step.numbers.size(); ++i) out << (i == 0 ? "" : ", ") << step.numbers[i];
  return out << "}}";
}

std::string as_test(const Steps& steps, const std::string& name) {
  std::ostringstream out;
  out << "BOOST_AUTO_TEST_CASE(" << name << ") {\n  replay({\n";
  for (const Step& step : steps) out << "      " << step << ",\n";
  out << "  });\n}\n";
  return out.str();
}

Steps random_steps(test::Random& random, std::size_t count) {
  Steps steps(count);
  for (Step& step : steps) {
    const Kind& kind = random_kind(random);
    step.verb = kind.verb;
    step.wait_ms = static_cast<std::uint32_t>(random.below(kMostWaitMs));
    step.numbers.resize(kind.numbers);
    for (std::uint32_t& number : step.numbers) number = static_cast<std::uint32_t>(random.below(kNumbers));
  }
  return steps;
}

std::vector<std::string> Numbers::some_of(const std::vector<std::string>& names) {
  std::vector<std::string> some(below(4));
  for (std::string& name : some) name = pick(names);
  return some;
}

std::string Numbers::bytes() {
  const std::uint32_t number = next();
  const std::uint32_t kind = number % 200;
  const std::uint32_t size = number / 200;
  const std::uint32_t most = kind < 185 ? 60 : kind < 196 ? 5000 : kind < 199 ? 30'000 : 0;
  return many_bytes().substr(size % 1000, most != 0 ? size % most : 65'536 + size % 3000);
}

std::string Numbers::text() {
  const std::uint32_t number = next();
  std::string text(number % 20, ' ');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + (number / 20 + i * i) % 26);
  return text;
}

}  // namespace tq::engine
