// What a simulation does, as values: a list of steps is drawn from a seed, run, made shorter, printed as C++, and run again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

namespace tq::test {
class Random;
}

namespace tq::engine {

// Everything that a program, a worker, a person or time can do to a store, or ask it.
enum class Verb : std::uint8_t {
  // Producers.
  add,
  add_many,
  add_by_intake,
  // Workers.
  come,
  claim,
  begin,
  finish,
  report,
  save,
  write,
  crash,
  tell,  // what the store says of this worker
  leave,
  die,
  // People.
  cancel,
  retry,
  remove,
  change,
  pause,
  resume,
  configure,
  purge,
  purge_dead,
  // Time.
  fire_due,
  collect,
  jump,
  // The process.
  reopen,
  together,  // the next few steps share a transaction, as far as they are changes
  // Questions.
  look,
  list,
  events,
  why,
  output,
};

// One step. What it does in detail is in its numbers, each of them taken modulo what there is when it runs: which job, which
// worker, how long. So any list of steps means something, also after some of them are gone. A number that is missing is 0,
// and 0 is always the simplest there is: the newest job, no delay, no bytes.
struct Step {
  Verb verb{};
  std::uint32_t wait_ms = 0;  // that pass before it
  std::vector<std::uint32_t> numbers{};
};
using Steps = std::vector<Step>;

// As it is written in a list of steps: `{Verb::cancel, 20, {3}}`.
std::ostream& operator<<(std::ostream& out, const Step& step);
// A test that runs the steps, to be pasted.
std::string as_test(const Steps& steps, const std::string& name);

// A verb by chance, and numbers enough for it.
Steps random_steps(test::Random& random, std::size_t count);

// The numbers of a step, one after the other.
class Numbers {
 public:
  explicit Numbers(const Step& step) : numbers_(step.numbers) {}

  std::uint32_t next() { return at_ < numbers_.size() ? numbers_[at_++] : 0; }
  std::uint32_t below(std::size_t end) { return next() % static_cast<std::uint32_t>(end); }
  // True in so many cases out of a hundred.
  bool chance(std::uint32_t percent) { return next() % 100 >= 100 - percent; }
  // A number in so many cases out of a hundred.
  std::optional<std::uint32_t> maybe(std::uint32_t percent) {
    const std::uint32_t number = next();
    if (number % 100 < 100 - percent) return std::nullopt;
    return number / 100;
  }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  // A few of them, some of them twice.
  std::vector<std::string> some_of(const std::vector<std::string>& names);
  // So many bytes: mostly few, now and then as many as go into chunks, or into a side file.
  std::string bytes();
  std::string text();

 private:
  const std::vector<std::uint32_t>& numbers_;
  std::size_t at_ = 0;
};

}  // namespace tq::engine
