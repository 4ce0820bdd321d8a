// Payloads of every form in which a store keeps them, each of which tells whether it is whole.
#pragma once

#include "base/crc.hpp"

#include <tq/types.hpp>

#include <random>
#include <string>

namespace tq::test {

// Its own checksum in decimal, a colon, and bytes up to that size.
inline Payload make_payload(std::mt19937_64& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return {"raw", std::to_string(base::crc32c(bytes)) + ':' + bytes};
}

// Mostly small ones; some in chunks, some in a file of their own.
inline Payload make_payload(std::mt19937_64& random) {
  switch (random() % 32) {
    case 0:
      return make_payload(random, 70'000);
    case 1:
    case 2:
      return make_payload(random, 9'000);
    case 3:
    case 4:
      return make_payload(random, 1'500);
    default:
      return make_payload(random, 100);
  }
}

inline bool is_whole(const std::string& payload) {
  const auto colon = payload.find(':');
  return colon != payload.npos && payload.substr(0, colon) == std::to_string(base::crc32c(payload.substr(colon + 1)));
}

}  // namespace tq::test
