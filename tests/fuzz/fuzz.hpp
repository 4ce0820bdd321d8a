// What the targets share. A target is LLVMFuzzerTestOneInput in a file of its own; it is run by libFuzzer (./dev fuzz), and over its
// corpus by a plain program (corpus.cc) with all tests.
#pragma once

#include <tq/error.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tq::fuzz {

inline std::string_view view(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "this does not hold: %s\n", what);
  std::abort();
}

// What refuses its input does so with one of tq's own errors: then this is false.
template <class Action>
bool accepts(Action action) {
  try {
    action();
    return true;
  } catch (const Error&) {
    return false;
  }
}

// Takes an input apart. What is missing is zero, or empty.
class Source {
 public:
  explicit Source(std::string_view bytes) : bytes_(bytes) {}

  bool empty() const { return bytes_.empty(); }
  std::uint8_t byte() {
    const std::string_view one = take(1);
    return one.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(one[0]);
  }
  std::uint16_t number() { return static_cast<std::uint16_t>(byte() | byte() << 8); }
  std::string_view take(std::size_t size) {
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest() { return take(bytes_.size()); }

 private:
  std::string_view bytes_;
};

}  // namespace tq::fuzz
