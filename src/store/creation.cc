// The steps of a creation, and what a death after each leaves:
//
//   jobs.tq-new written and synced           a file that the next creation removes
//   linked to jobs.tq                        a store; two links tell that its directory may not be synced yet
//   directory synced                         a durable store, with a needless second name
//   jobs.tq-new removed                      the end
//
// A link, not a rename: it fails when there is something of that name already, and the second link is the sign that the next
// one to open the store has to sync the directory before anything may be acknowledged.
#include "store/creation.hpp"

#include "base/fail.hpp"
#include "base/failpoint.hpp"
#include "store/checksum.hpp"
#include "store/format.hpp"
#include "store/lmdb.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::store {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kCreationMapBytes = 1 << 20;  // what an empty store needs, with room to spare

std::string name_in_making(const fs::path& path) { return path.native() + "-new"; }

std::string random_uuid() {
  std::string uuid(16, '\0');
  if (::getrandom(uuid.data(), uuid.size(), 0) != static_cast<ssize_t>(uuid.size())) {
    base::throw_system("cannot get random bytes", errno);
  }
  uuid[6] = static_cast<char>((uuid[6] & 0x0f) | 0x40);  // RFC 4122: version 4,
  uuid[8] = static_cast<char>((uuid[8] & 0x3f) | 0x80);  // variant 1
  return uuid;
}

void require(int code, const std::string& path) {
  if (code != 0) throw_lmdb(fmt::format("cannot create '{}'", path), code);
}

void fail_at(const char* failpoint, const std::string& path) {
  if (const int code = base::failpoint_errno(failpoint))
    base::throw_system(fmt::format("cannot create '{}'", path), code);
}

void fill(MDB_txn* txn, const std::string& path) {
  MDB_dbi catalog = 0;
  for (std::size_t i = kTreeCount; i-- > 0;) require(mdb_dbi_open(txn, kTreeNames[i], MDB_CREATE, &catalog), path);
  std::string record;
  append_checked(record, format_key(), encode_format({current_format().version, random_uuid()}));
  MDB_val key = to_val(format_key());
  MDB_val value = to_val(record);
  require(mdb_put(txn, catalog, &key, &value, 0), path);
}

void unlink_if_there(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    base::throw_system(fmt::format("cannot remove '{}'", path), errno);
}

void make_durable(const std::string& made, const fs::path& path, const std::function<void(const std::string&)>& write) {
  write(made);
  fail_at("store.create.written", path);
  const base::Fd fd = base::open_file(made, O_RDWR);
  if (::fsync(fd.get()) != 0) base::throw_system(fmt::format("cannot sync '{}'", made), errno);
  fail_at("store.create.synced", path);
}

void give_name(const std::string& made, const fs::path& path) {
  if (::link(made.c_str(), path.c_str()) == 0) return;
  // No links here (FAT and the like): a rename has to do. The caller holds the lock, so nothing of ours is replaced.
  const bool no_links = errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS || errno == EMLINK;
  if (!no_links || ::rename(made.c_str(), path.c_str()) != 0) {
    base::throw_system(fmt::format("cannot create '{}'", path.native()), errno);
  }
}

}  // namespace

void write_empty_store(const fs::path& path) {
  const LmdbEnvironment env = make_lmdb();
  require(mdb_env_set_maxdbs(env.get(), kTreeCount), path);
  require(mdb_env_set_mapsize(env.get(), kCreationMapBytes), path);
  // Nobody else knows of this file yet: no lock file.
  require(mdb_env_open(env.get(), path.c_str(), MDB_NOSUBDIR | MDB_NOLOCK, 0600), path);
  MDB_txn* txn = nullptr;
  require(mdb_txn_begin(env.get(), nullptr, 0, &txn), path);
  try {
    fill(txn, path);
  } catch (...) {
    mdb_txn_abort(txn);
    throw;
  }
  require(mdb_txn_commit(txn), path);
}

void create_store(const fs::path& path) { create_file(path, write_empty_store); }

void create_file(const fs::path& path, const std::function<void(const std::string&)>& write) {
  const std::string made = name_in_making(path);
  unlink_if_there(made);
  fail_at("store.create.begin", path);
  try {
    make_durable(made, path, write);
    give_name(made, path);
  } catch (...) {
    ::unlink(made.c_str());
    throw;
  }
  fail_at("store.create.named", path);
  base::sync_directory(path.parent_path());
  fail_at("store.create.directory", path);
  unlink_if_there(made);
  fail_at("store.create.end", path);
}

void finish_creation(int fd, const fs::path& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) base::throw_system(fmt::format("cannot look at '{}'", path.native()), errno);
  if (status.st_nlink < 2) return;
  base::sync_directory(path.parent_path());
  const std::string made = name_in_making(path);
  struct stat other {};
  const bool is_ours =
      ::lstat(made.c_str(), &other) == 0 && other.st_dev == status.st_dev && other.st_ino == status.st_ino;
  if (is_ours) unlink_if_there(made);
}

}  // namespace tq::store
