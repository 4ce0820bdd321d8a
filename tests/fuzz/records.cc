// The other records; the first byte says which.
#include "model/records.hpp"
#include "fuzz/fuzz.hpp"
#include "model/packed.hpp"

using namespace tq;

namespace {

template <class Decode>
void round_trip(std::string_view bytes, Decode decode) {
  fuzz::accepts([&] {
    const auto record = decode(bytes);
    fuzz::require(decode(model::encode(record)) == record, "a record is what it was");
  });
}

template <class Unpack>
void round_trip_packed(std::string_view bytes, Unpack unpack) {
  fuzz::accepts([&] {
    const auto record = unpack(bytes);
    fuzz::require(unpack(model::pack(record)) == record, "a packed record is what it was");
  });
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Source source(fuzz::view(data, size));
  const std::uint8_t kind = source.byte();
  const std::string_view bytes = source.rest();
  switch (kind % 7) {
    case 0:
      round_trip(bytes, model::decode_queue);
      break;
    case 1:
      round_trip(bytes, model::decode_worker);
      break;
    case 2:
      round_trip(bytes, model::decode_event);
      break;
    case 3:
      round_trip(bytes, model::decode_log);
      break;
    case 4:
      round_trip(bytes, model::decode_totals);
      break;
    case 5:
      round_trip_packed(bytes, model::unpack_details);
      break;
    default:
      round_trip_packed(bytes, model::unpack_command);
      break;
  }
  return 0;
}
