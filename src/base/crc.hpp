// CRC32C (Castagnoli, RFC 3720 appendix B.4): the checksum in every record.
#pragma once

#include <cstdint>
#include <string_view>

namespace tq::base {

// The checksum of `bytes`, or of what `seed` is the checksum of followed by `bytes`.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t seed = 0);

// The same without the processor's instruction: for other machines, and to test one against the other.
std::uint32_t crc32c_portable(std::string_view bytes, std::uint32_t seed = 0);

}  // namespace tq::base
