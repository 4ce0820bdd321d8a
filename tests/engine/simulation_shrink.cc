#include "simulation_shrink.hpp"

#include <algorithm>
#include <utility>

namespace tq::engine {
namespace {

// Of so few steps many more lists are tried.
constexpr std::size_t kFew = 60;
// To begin with an empty one takes as long as so many steps.
constexpr std::size_t kCostOfAStore = 100;

class Shrinking {
 public:
  Shrinking(Steps steps, const std::function<bool(const Steps&)>& fails, std::size_t most_steps)
      : steps_(std::move(steps)), fails_(fails), left_(most_steps) {}

  Steps run() {
    for (std::size_t before = SIZE_MAX; before > steps_.size();) {
      before = steps_.size();
      for (std::size_t length = steps_.size() / 2; length != 0; length /= 2) drop(length);
      for (std::size_t i = 0; i < steps_.size(); ++i) simplify(i);
      if (steps_.size() <= kFew) drop_and_count_down();
    }
    for (Step& step : steps_) {
      while (!step.numbers.empty() && step.numbers.back() == 0) step.numbers.pop_back();
    }
    return std::move(steps_);
  }

 private:
  // Keeps the list if it fails, too.
  bool keep(Steps steps) {
    if (left_ < steps.size()) return false;
    left_ -= std::min(left_, steps.size() + kCostOfAStore);
    if (!fails_(steps)) return false;
    steps_ = std::move(steps);
    return true;
  }

  // From the end on: what came last is what failed, and much of what came before was for something else.
  void drop(std::size_t length) {
    for (std::size_t end = steps_.size(); end != 0;) {
      const std::size_t begin = end - std::min(length, end);
      Steps shorter = steps_;
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(begin),
                    shorter.begin() + static_cast<std::ptrdiff_t>(end));
      keep(std::move(shorter));
      end = std::min(begin, steps_.size());
    }
  }

  // A step that is there only so that a number of a later one, which counts jobs, means the right one.
  void drop_and_count_down() {
    for (std::size_t end = steps_.size(); end > 1; end = std::min(end - 1, steps_.size())) {
      const std::size_t gone = end - 2;
      for (std::size_t place = steps_.size() - 1; place > gone && count_down(gone, place); --place) continue;
    }
  }

  // False: it was done.
  bool count_down(std::size_t gone, std::size_t place) {
    for (std::size_t i = 0; i < std::min<std::size_t>(2, steps_[place].numbers.size()); ++i) {
      if (steps_[place].numbers[i] == 0) continue;
      Steps shorter = steps_;
      --shorter[place].numbers[i];
      shorter.erase(shorter.begin() + static_cast<std::ptrdiff_t>(gone));
      if (keep(std::move(shorter))) return false;
    }
    return true;
  }

  void simplify(std::size_t place) {
    const auto change = [&](auto edit) {
      Steps simpler = steps_;
      edit(simpler[place]);
      keep(std::move(simpler));
    };
    if (steps_[place].wait_ms != 0) change([](Step& step) { step.wait_ms = 0; });
    for (std::size_t i = 0; i < steps_[place].numbers.size(); ++i) {
      // One of these does: percents are taken of a number, and what is left over is a single digit.
      for (const std::uint32_t end : {1u, 2u, 3u, 4u, 5u, 10u, 100u, 1000u}) {
        const std::uint32_t number = steps_[place].numbers[i];
        if (number < end) break;
        change([&](Step& step) { step.numbers[i] = end <= 5 ? end - 1 : number % end; });
      }
    }
  }

  Steps steps_;
  const std::function<bool(const Steps&)>& fails_;
  std::size_t left_;
};

}  // namespace

Steps shrink(Steps steps, const std::function<bool(const Steps&)>& fails, std::size_t most_steps) {
  return Shrinking(std::move(steps), fails, most_steps).run();
}

}  // namespace tq::engine
