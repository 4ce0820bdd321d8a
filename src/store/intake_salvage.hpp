// What a damaged intake still holds.
#pragma once

#include "store/intake_record.hpp"
#include "store/transaction.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tq::store {

struct SalvagedRecord {
  std::uint64_t position = 0;
  std::uint64_t number = 0;  // of the job; 0: a filler
  std::string bytes;
  IntakeEnd end;
  bool is_whole = true;  // false: `bytes` are what lies between two records, where one or more were
};

// Every whole record in the ring, of this and the last lap, by position, whether or not those before it are whole; and what is
// damaged between them. None if there is
// no such file. Reads it through; nobody may be writing. Throws IoError.
std::vector<SalvagedRecord> salvage_intake(const std::filesystem::path& ring);

// Has the intake been taken in up to there, in this transaction's view? Nothing if that record is damaged.
std::optional<IntakeEnd> find_intake_end(const Transaction& txn);
// Notes it, in a store in the making.
void put_intake_end(WriteTransaction& txn, IntakeEnd end);

}  // namespace tq::store
