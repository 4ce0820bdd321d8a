// A loop with a guard, and what became of the commands that it was given.
#pragma once

#include "loop/event_loop.hpp"
#include "loop/guard.hpp"
#include "loop/timer.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

namespace tq::loop {

inline std::ostream& boost_test_print_type(std::ostream& out, ChildExit::Kind kind) {
  constexpr const char* kNames[] = {"exited", "signalled", "not_started", "lost"};
  return out << kNames[static_cast<std::size_t>(kind)];
}

}  // namespace tq::loop

namespace tq::test {

using Kind = loop::ChildExit::Kind;

// One command.
struct Ran {
  loop::ChildId id = 0;
  std::string out;
  std::string err;
  int ended = 0;  // how often it was said to have
  loop::ChildExit exit;
};

inline std::string new_token() {
  static int count = 0;
  return "test-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

// One thread at a time.
class Commands {
 public:
  explicit Commands(loop::Guard::Options options = {})
      : token(options.token.empty() ? new_token() : options.token),
        patience_(loop, [] { throw std::runtime_error("nothing happens"); }) {
    options.token = token;
    options.died = [this, said = std::move(options.died)] {
      ++died;
      if (said) said();
      changed();
    };
    guard = std::make_unique<loop::Guard>(loop, std::move(options));
  }

  Ran& start(loop::ChildSpec spec) {
    Ran& ran = runs_.emplace_back();
    if (spec.cwd.empty()) spec.cwd = "/";
    ran.id = guard->spawn(
        std::move(spec),
        [this, &ran](Stream stream, std::string_view bytes) {
          BOOST_TEST(ran.ended == 0);
          (stream == Stream::out ? ran.out : ran.err) += bytes;
          changed();
        },
        [this, &ran](loop::ChildExit exit) {
          ++ran.ended;
          ran.exit = std::move(exit);
          changed();
        });
    BOOST_TEST(ran.ended == 0);
    return ran;
  }
  // With `input` as its standard input, if any.
  Ran& shell(std::string script, base::Fd input = {}) {
    loop::ChildSpec spec;
    spec.argv = {"sh", "-c", std::move(script)};
    spec.env = {{"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}};
    spec.input = std::move(input);
    return start(std::move(spec));
  }

  // Runs the loop until `condition` holds, which only a command or the guard can change.
  void wait_until(std::function<bool()> condition) {
    condition_ = std::move(condition);
    patience_.start(std::chrono::seconds{60});
    while (!condition_()) loop.run();
    patience_.cancel();
    condition_ = nullptr;
  }
  void wait(const Ran& ran) {
    wait_until([&] { return ran.ended != 0; });
  }
  void wait_for_all() {
    wait_until([this] {
      for (const Ran& ran : runs_) {
        if (ran.ended == 0) return false;
      }
      return true;
    });
  }
  void wait_for_output(const Ran& ran, const std::string& text) {
    wait_until([&] { return ran.out.find(text) != text.npos; });
  }

  const std::string token;
  loop::EventLoop loop;
  int died = 0;
  std::unique_ptr<loop::Guard> guard;

 private:
  void changed() {
    if (condition_ && condition_()) loop.stop();
  }

  std::function<bool()> condition_;
  std::deque<Ran> runs_;
  loop::Timer patience_;
};

}  // namespace tq::test
