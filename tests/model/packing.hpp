// The packing of fixed fields, written a second time from FORMAT.md.
#pragma once

#include <string>

namespace tq::test {

inline std::string packed(const std::string& bytes) {
  std::string out;
  for (std::size_t start = 0; start < bytes.size(); start += 8) {
    int tag = 0;
    std::string kept;
    for (std::size_t i = start; i < bytes.size() && i < start + 8; ++i) {
      if (bytes[i] == '\0') continue;
      tag += 1 << (i - start);
      kept += bytes[i];
    }
    out += static_cast<char>(tag) + kept;
  }
  return out;
}

// The `size` bytes that `packed` holds at its start; what is behind them is left in it.
inline std::string unpacked(std::string& packed, std::size_t size) {
  std::string out;
  while (out.size() < size) {
    const int tag = static_cast<unsigned char>(packed.at(0));
    packed.erase(0, 1);
    for (int i = 0; i < 8 && out.size() < size; ++i) {
      const bool is_kept = (tag >> i & 1) != 0;
      out += is_kept ? packed.at(0) : '\0';
      if (is_kept) packed.erase(0, 1);
    }
  }
  return out;
}

}  // namespace tq::test
