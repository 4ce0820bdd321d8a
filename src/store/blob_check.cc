// Looking over all blobs: which are damaged, and which side files nobody needs.
#include "base/fail.hpp"
#include "store/blob_record.hpp"
#include "store/environment_impl.hpp"
#include "store/side_file.hpp"

#include <cerrno>
#include <set>
#include <unistd.h>

namespace tq::store {
namespace {

std::set<std::string> referenced_files(const Transaction& txn) {
  std::set<std::string> files;
  Cursor<BlobKey> cursor(txn);
  for (bool more = cursor.first(); more; more = cursor.next()) {
    const std::optional<BlobRecord> record = decode_blob(cursor.value());
    if (record && record->form == BlobForm::file) files.insert(record->file);
  }
  return files;
}

// The side files that no committed record names and no living process writes, in batches that are held meanwhile. What is
// held cannot be committed any more, so the state that is read after holding it tells the truth.
void visit_garbage(Environment& environment, const std::function<void(const std::string&)>& visit) {
  if (environment.in_memory()) return;
  visit_idle_side_files(environment, [&](const std::vector<std::string>& names) {
    const std::set<std::string> referenced = referenced_files(environment.read());
    for (const std::string& name : names) {
      if (!referenced.contains(name)) visit(name);
    }
  });
}

void check_side_file(const Transaction& txn, JobId job, BlobKind kind, const BlobRecord& record, bool deep) {
  if (deep) {
    get_blob(txn, job, kind);
    return;
  }
  const std::optional<std::uint64_t> size = side_file_size(txn.environment(), record.file);
  if (size == record.size) return;
  get_blob(txn, job, kind);  // says what is wrong, unless it was removed a moment ago
}

void check_blob(const Transaction& txn, const BlobKey& key, std::string_view bytes, bool deep) {
  const auto kind = static_cast<BlobKind>(key.kind);
  const std::optional<BlobRecord> record = decode_blob(bytes);
  if (record && record->form == BlobForm::file) {
    check_side_file(txn, key.job, kind, *record, deep);
  } else {
    get_blob(txn, key.job, kind);
  }
}

// A chunk must lie within a blob that is kept in chunks.
bool has_owner(const Transaction& txn, const ChunkKey& key) {
  const std::optional<std::string_view> bytes = get(txn, BlobKey{key.job, key.kind});
  const std::optional<BlobRecord> record = bytes ? decode_blob(*bytes) : std::nullopt;
  return record && record->form == BlobForm::chunks && key.index * kOverflowChunkBytes < record->size;
}

}  // namespace

std::uint64_t check_blobs(const Transaction& txn, bool deep, const std::function<void(std::string)>& problem,
                          const std::function<void(JobId, BlobKind)>& seen) {
  std::uint64_t records = 0;
  const auto report = [&](const auto& look) {
    try {
      look();
    } catch (const Damaged& damage) {
      problem(damage.what());
    }
  };
  Cursor<BlobKey> blobs(txn);
  for (bool more = blobs.first(); more; more = blobs.next(), ++records) {
    report([&] {
      const BlobKey key = blobs.key();
      seen(key.job, static_cast<BlobKind>(key.kind));
      check_blob(txn, key, blobs.value(), deep);
    });
  }
  Cursor<ChunkKey> chunks(txn);
  for (bool more = chunks.first(); more; more = chunks.next(), ++records) {
    report([&] {
      const ChunkKey key = chunks.key();
      if (!has_owner(txn, key)) problem(fmt::format("part {} of a blob of job {} belongs to none", key.index, key.job));
    });
  }
  visit_garbage(txn.environment(),
                [&](const std::string& name) { problem(fmt::format("the side file '{}' belongs to no job", name)); });
  return records;
}

std::uint64_t move_idle_side_files(Environment& environment, const std::string& directory) {
  std::uint64_t moved = 0;
  visit_garbage(environment, [&](const std::string& name) {
    std::error_code there;
    if (moved++ == 0) std::filesystem::create_directory(directory, there);
    std::filesystem::rename(side_file_path(environment, name), directory + '/' + name);
  });
  return moved;
}

std::uint64_t collect_side_files(Environment& environment) {
  std::uint64_t removed = 0;
  visit_garbage(environment, [&](const std::string& name) {
    // The commit that dropped the last record of it may have been a relaxed one: make it durable before the file goes.
    if (removed++ == 0 && ::fdatasync(environment.impl().data.get()) != 0) {
      base::throw_system(fmt::format("cannot sync '{}'", environment.impl().name()), errno);
    }
    remove_side_file(environment, name);
  });
  return removed;
}

}  // namespace tq::store
