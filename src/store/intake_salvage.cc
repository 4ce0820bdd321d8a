#include "store/intake_salvage.hpp"

#include "base/bytes.hpp"
#include "base/fail.hpp"
#include "base/fd.hpp"
#include "store/intake.hpp"
#include "store/transaction_impl.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace tq::store {
namespace {

SalvagedRecord hole(std::string_view ring, std::uint64_t from, std::uint64_t upto) {
  std::string bytes(ring.substr(from % ring.size(), upto - from));
  bytes += ring.substr(0, upto - from - bytes.size());  // it may go round
  return {from, 0, std::move(bytes), {upto, 0}, false};
}

// Records lie one behind the other, but for a few bytes at the end of a lap. What is before the first of them has been overwritten,
// unless this is the first lap.
std::vector<SalvagedRecord> with_holes(std::string_view ring, std::vector<SalvagedRecord> records) {
  std::vector<SalvagedRecord> all;
  const bool is_first_lap = !records.empty() && records.back().end.position <= ring.size();
  std::uint64_t before = records.empty() || is_first_lap ? 0 : records.front().position;
  for (SalvagedRecord& record : records) {
    const bool follows = record.position < before + kIntakeHeadBytes || record.position - before > ring.size();
    if (!follows) all.push_back(hole(ring, before, record.position));
    before = record.end.position;
    all.push_back(std::move(record));
  }
  // The last one, if its head at least says that it is of this lap.
  const std::string_view rest =
      ring.substr(std::min<std::uint64_t>(before % std::max<std::uint64_t>(ring.size(), 1), ring.size()));
  const std::uint64_t claimed = std::min<std::uint64_t>(claimed_bytes(rest), rest.size());
  const bool is_begun = rest.substr(0, kIntakeHeadBytes).find_first_not_of('\0') != rest.npos;
  if (claimed != 0 && is_begun && base::ByteReader(rest).le<std::uint64_t>() == before) {
    all.push_back(hole(ring, before, before + claimed));
  }
  return all;
}

}  // namespace

std::vector<SalvagedRecord> salvage_intake(const std::filesystem::path& ring) {
  std::vector<SalvagedRecord> found;
  if (::access(ring.c_str(), F_OK) != 0) return found;
  std::string bytes = base::read_all(base::open_file(ring, O_RDONLY).get(), ring.native());
  if (!Intake::is_ring_size(bytes.size()))
    bytes.resize(Intake::kRingBytes);  // it was cut off: where a record stands tells its lap
  for (std::size_t at = 0; at + kIntakeHeadBytes <= bytes.size(); at += kIntakeAlign) {
    const std::string_view here = std::string_view(bytes).substr(at);
    const auto position = base::ByteReader(here).le<std::uint64_t>();
    if (position % bytes.size() != at) continue;
    const auto record = decode_record(here, position);
    if (!record) continue;
    found.push_back({position, record->number, std::string(record->bytes), record->end(), true});
    at += record->end().position - position - kIntakeAlign;
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.position < b.position; });
  return with_holes(bytes, std::move(found));
}

std::optional<IntakeEnd> find_intake_end(const Transaction& txn) {
  try {
    return intake_end(txn.impl());
  } catch (const Damaged&) {
    return std::nullopt;
  }
}

void put_intake_end(WriteTransaction& txn, IntakeEnd end) {
  txn.put(Tree::catalog, intake_key(), encode_intake_end(end));
}

}  // namespace tq::store
