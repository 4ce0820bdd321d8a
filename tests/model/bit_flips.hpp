// What damage does to a decoder.
#pragma once

#include <tq/error.hpp>

#include <boost/test/unit_test.hpp>

#include <string>

namespace tq::test {

struct Flipped {
  std::size_t decoded = 0;  // into something
  std::size_t refused = 0;  // with Damaged; anything else that is thrown ends the test
};

template <class Decode>
void decode_or_refuse(const std::string& bytes, Decode decode, Flipped& flipped) {
  try {
    decode(bytes);
    ++flipped.decoded;
  } catch (const Damaged&) {
    ++flipped.refused;
  }
}

// Decodes `bytes` with each bit flipped once.
template <class Decode>
Flipped with_each_bit_flipped(std::string bytes, Decode decode) {
  Flipped flipped;
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    const auto flip = [&] { bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8))); };
    flip();
    decode_or_refuse(bytes, decode, flipped);
    flip();
  }
  return flipped;
}

// Decodes each beginning of `bytes` that is shorter than all of them.
template <class Decode>
Flipped with_each_length(const std::string& bytes, Decode decode) {
  Flipped flipped;
  for (std::size_t size = 0; size < bytes.size(); ++size) decode_or_refuse(bytes.substr(0, size), decode, flipped);
  return flipped;
}

}  // namespace tq::test
