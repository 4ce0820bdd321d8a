#include "store/making.hpp"

#include "base/fail.hpp"
#include "base/failpoint.hpp"
#include "store/creation.hpp"
#include "store/environment_impl.hpp"
#include "store/intake.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace tq::store {
namespace {

namespace fs = std::filesystem;

// Of one transaction: far below what LMDB takes, and enough to hardly notice its commit.
constexpr std::size_t kBatchBytes = std::size_t{16} << 20;
constexpr std::size_t kRecordBytes = 64;  // that a record takes beside its own

// What belongs to the data: if it is of another store, ours must not stand beside it.
constexpr std::array<const char*, 2> kDurable = {"-intake", "-blobs"};

bool is_there(const std::string& path) {
  if (::access(path.c_str(), F_OK) == 0) return true;
  if (errno != ENOENT) base::throw_system(fmt::format("cannot look at '{}'", path), errno);
  return false;
}

void refuse_in_use(const LockFile& locks, const fs::path& path) {
  if (!locks.in_use()) return;
  base::fail<Conflict>("a process has '{}' open: end the workers and others that use it first", path.native());
}

void fail_at(const char* failpoint, const fs::path& path) {
  if (const int code = base::failpoint_errno(failpoint))
    base::throw_system(fmt::format("cannot write '{}'", path.native()), code);
}

void rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) {
    base::throw_system(fmt::format("cannot rename '{}' to '{}'", from, to), errno);
  }
}

void sync_file(const std::string& path) {
  const base::Fd fd = base::open_file(path, O_RDWR);
  if (::fsync(fd.get()) != 0) base::throw_system(fmt::format("cannot sync '{}'", path), errno);
}

// May what is at `path` be called `to`?
void refuse_aside(const LockFile& locks, const fs::path& path, const fs::path& to) {
  refuse_in_use(locks, path);
  if (is_there(path) && is_there(to))
    base::fail<Conflict>("there is '{}' from an earlier time: move it away first", to.native());
}

// The caller holds the lock.
void move_aside(const LockFile& locks, const fs::path& path, const fs::path& to) {
  refuse_aside(locks, path, to);
  if (is_there(path)) {
    rename_file(path, to);
    base::sync_directory(path.parent_path());
  }
  fail_at("store.aside.data", path);
  for (const char* suffix : kDurable) {
    const std::string side = path.native() + suffix;
    if (is_there(side) && !is_there(to.native() + suffix)) rename_file(side, to.native() + suffix);
    fail_at("store.aside.side", path);
  }
  base::sync_directory(path.parent_path());
}

// What make_store() makes there, or of that what was not renamed.
void remove_made(const std::string& made) {
  std::error_code ignored;
  for (const char* suffix : {"", "-new", "-locks"}) fs::remove(made + suffix, ignored);
  fs::remove_all(made + "-blobs", ignored);
}

void fill_file(const fs::path& path, const std::string& made, const Fill& fill) {
  write_empty_store(made);
  const auto environment = Environment::open_alone(path, made, true);
  fail_at("store.make.begin", path);
  fill(*environment);
  fail_at("store.make.filled", path);
}

}  // namespace

void make_store(const fs::path& given, const Fill& fill) {
  const fs::path path = resolve(given);
  make_parent_directory(path);
  refuse_network(path);
  const auto locks = std::make_shared<LockFile>(path.native() + "-locks");
  const WriteLock lock(locks);
  if (is_there(path))
    base::fail<Conflict>("there is a file '{}' already: name another, or move it away", path.native());
  refuse_in_use(*locks, path);
  if (const std::string intake = path.native() + "-intake"; is_there(intake)) {
    base::fail<Conflict>("'{}' is left of another store '{}': move it away first", intake, path.native());
  }
  create_file(path, [&](const std::string& made) { fill_file(path, made, fill); });
}

void remake_store(const fs::path& given, const fs::path& kept, const Fill& fill) {
  const fs::path path = resolve(given);
  const auto locks = std::make_shared<LockFile>(path.native() + "-locks");
  const WriteLock lock(locks);
  if (!is_there(path)) base::fail<NotFound>("there is no store at '{}'", path.native());
  refuse_in_use(*locks, path);
  // What was killed between giving the old one its second name and taking away the first.
  if (identify(kept) == identify(path)) ::unlink(kept.c_str());
  if (is_there(kept)) base::fail<Conflict>("there is '{}' from an earlier repair: move it away first", kept.native());
  const std::string made = path.native() + "-new";
  ::unlink(made.c_str());
  try {
    fill_file(path, made, fill);
    sync_file(made);
    fail_at("store.make.synced", path);
    if (::link(path.c_str(), kept.c_str()) != 0) {
      base::throw_system(fmt::format("cannot link '{}' to '{}'", path.native(), kept.native()), errno);
    }
    base::sync_directory(path.parent_path());
    fail_at("store.make.kept", path);
    ::unlink((path.native() + "-intake-ends").c_str());  // it remembers what may be lost now, as after a power cut
    if (const std::string ring = path.native() + "-intake";
        is_there(ring) && !Intake::is_ring_size(fs::file_size(ring)))
      rename_file(ring, kept.native() + "-intake");
    rename_file(made, path);
  } catch (...) {
    ::unlink(made.c_str());
    throw;
  }
  base::sync_directory(path.parent_path());
  fail_at("store.make.end", path);
}

std::shared_ptr<Environment> make_nameless(const fs::path& path, const Fill& fill) {
  const std::string file = path.native() + "-salvaged";
  ::unlink(file.c_str());
  write_empty_store(file);
  auto environment = Environment::open_alone(path, file, true);
  ::unlink(file.c_str());
  fill(*environment);
  return environment;
}

void set_aside(const fs::path& given, const fs::path& to) {
  const fs::path path = resolve(given);
  const auto locks = std::make_shared<LockFile>(path.native() + "-locks");
  const WriteLock lock(locks);
  move_aside(*locks, path, to);
}

void replace_store(const fs::path& given, const fs::path& aside, const Fill& fill) {
  const fs::path path = resolve(given);
  const auto locks = std::make_shared<LockFile>(path.native() + "-locks");
  const std::string made = path.native() + "-restored";
  remove_made(made);
  if (!is_there(path)) {
    set_aside(path, aside);
    make_store(path, fill);
    return;
  }
  {
    const WriteLock lock(locks);
    refuse_aside(*locks, path, aside);
  }
  try {
    make_store(made, fill);
    const WriteLock lock(locks);
    move_aside(*locks, path, aside);
    if (is_there(made + "-blobs")) rename_file(made + "-blobs", path.native() + "-blobs");
    fail_at("store.replace.side", path);
    rename_file(made, path);
    base::sync_directory(path.parent_path());
    TQ_FAILPOINT("store.replace.end");
  } catch (...) {
    remove_made(made);
    throw;
  }
  remove_made(made);
}

bool is_half_aside(const fs::path& given, const fs::path& to) {
  const fs::path path = resolve(given);
  if (is_there(path) || !is_there(to)) return false;
  return std::any_of(kDurable.begin(), kDurable.end(), [&](const char* suffix) {
    return is_there(path.native() + suffix) && !is_there(to.native() + suffix);
  });
}

WriteTransaction& Filler::txn(std::size_t bytes) {
  if (txn_ && bytes_ > kBatchBytes) finish();
  if (!txn_) txn_.emplace(made_.write());
  bytes_ += bytes;
  return *txn_;
}

void Filler::put(Tree tree, std::string_view key, std::string_view value) {
  txn(key.size() + value.size() + kRecordBytes).append(tree, key, value);
}

void Filler::finish() {
  if (!txn_) return;
  txn_->commit();
  txn_.reset();
  bytes_ = 0;
}

}  // namespace tq::store
