#include "store/blob.hpp"

#include "base/crc.hpp"
#include "base/fail.hpp"
#include "store/blob_record.hpp"
#include "store/environment_impl.hpp"
#include "store/table.hpp"
#include "store/transaction_impl.hpp"

#include <algorithm>
#include <unistd.h>

namespace tq::store {
namespace {

using base::fail;

std::uint32_t chunk_count(std::uint64_t size) {
  return static_cast<std::uint32_t>((size + kOverflowChunkBytes - 1) / kOverflowChunkBytes);
}

[[noreturn]] void fail_blob(const Transaction& txn, JobId job, BlobKind kind, std::string_view why) {
  fail<Damaged>("'{}' is damaged: the {} of job {} {}", txn.environment().impl().name(), to_string(kind), job, why);
}

std::optional<BlobRecord> find_record(const Transaction& txn, JobId job, BlobKind kind) {
  const std::optional<std::string_view> bytes = get(txn, make_blob_key(job, kind));
  if (!bytes) return std::nullopt;
  std::optional<BlobRecord> record = decode_blob(*bytes);
  if (!record) fail_blob(txn, job, kind, "has a record of an unknown form");
  return record;
}

std::string read_chunks(const Transaction& txn, JobId job, BlobKind kind, std::uint64_t size) {
  std::string bytes;
  bytes.reserve(size);
  for (std::uint32_t index = 0; index < chunk_count(size); ++index) {
    const std::optional<std::string_view> chunk = get(txn, make_chunk_key(job, kind, index));
    if (!chunk) fail_blob(txn, job, kind, fmt::format("lacks its part {}", index));
    bytes.append(*chunk);
  }
  return bytes;
}

// A reader may look at a state in which a blob stood that has been removed since, its file with it.
bool is_removed_since(const Transaction& txn, JobId job, BlobKind kind, const BlobRecord& record) {
  const ReadTransaction newest = txn.environment().read();
  const std::optional<BlobRecord> now = find_record(newest, job, kind);
  return !now || now->file != record.file;
}

void erase_chunks(WriteTransaction& txn, JobId job, BlobKind kind, std::uint64_t size) {
  for (std::uint32_t index = 0; index < chunk_count(size); ++index) erase(txn, make_chunk_key(job, kind, index));
}

}  // namespace

struct PreparedBlob::Impl {
  std::string bytes;
  std::uint32_t checksum = 0;
  std::optional<SideFile> file;
};

PreparedBlob::PreparedBlob(Environment& environment, std::string bytes) : impl_(std::make_unique<Impl>()) {
  impl_->bytes = std::move(bytes);
  impl_->checksum = base::crc32c(impl_->bytes);
  if (impl_->bytes.size() >= kSideFileBytes && !environment.in_memory()) impl_->file.emplace(environment, impl_->bytes);
}
PreparedBlob::~PreparedBlob() = default;
PreparedBlob::PreparedBlob(PreparedBlob&&) noexcept = default;
PreparedBlob& PreparedBlob::operator=(PreparedBlob&&) noexcept = default;
std::size_t PreparedBlob::size() const { return impl_->bytes.size(); }

void put_blob(WriteTransaction& txn, JobId job, BlobKind kind, PreparedBlob blob) {
  erase_blob(txn, job, kind);
  PreparedBlob::Impl& prepared = blob.impl();
  BlobRecord record;
  record.size = prepared.bytes.size();
  record.checksum = prepared.checksum;
  if (prepared.file) {
    record.form = BlobForm::file;
    record.file = prepared.file->name();
    txn.impl().added.push_back(std::move(*prepared.file));
  } else if (record.size <= kChunkBytes) {
    record.form = BlobForm::whole;
    record.bytes = prepared.bytes;
  } else {
    record.form = BlobForm::chunks;
    const std::string_view all = prepared.bytes;
    for (std::uint32_t index = 0; index < chunk_count(record.size); ++index) {
      put(txn, make_chunk_key(job, kind, index), all.substr(index * kOverflowChunkBytes, kOverflowChunkBytes));
    }
  }
  append(txn, make_blob_key(job, kind), encode_blob(record));
}

std::optional<std::string> get_blob(const Transaction& txn, JobId job, BlobKind kind) {
  const std::optional<BlobRecord> record = find_record(txn, job, kind);
  if (!record) return std::nullopt;
  if (record->form == BlobForm::whole) return std::string(record->bytes);
  std::string bytes;
  if (record->form == BlobForm::file) {
    std::optional<std::string> file = read_side_file(txn.environment(), record->file);
    if (!file && is_removed_since(txn, job, kind, *record)) return std::nullopt;
    if (!file) fail_blob(txn, job, kind, fmt::format("lacks its file '{}'", record->file));
    bytes = std::move(*file);
  } else {
    bytes = read_chunks(txn, job, kind, record->size);
  }
  if (bytes.size() != record->size) {
    fail_blob(txn, job, kind, fmt::format("has {} bytes where {} were written", bytes.size(), record->size));
  }
  if (base::crc32c(bytes) != record->checksum) fail_blob(txn, job, kind, "does not match its checksum");
  return bytes;
}

std::optional<std::uint64_t> blob_size(const Transaction& txn, JobId job, BlobKind kind) {
  const std::optional<BlobRecord> record = find_record(txn, job, kind);
  if (!record) return std::nullopt;
  return record->size;
}

bool erase_blob(WriteTransaction& txn, JobId job, BlobKind kind) {
  const std::optional<BlobRecord> record = find_record(txn, job, kind);
  if (!record) return false;
  if (record->form == BlobForm::chunks) erase_chunks(txn, job, kind, record->size);
  if (record->form == BlobForm::file) txn.impl().removed.push_back(side_file_path(txn.environment(), record->file));
  return erase(txn, make_blob_key(job, kind));
}

}  // namespace tq::store
