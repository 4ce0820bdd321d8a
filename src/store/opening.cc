// Opening a store, step by step. Nothing is written to a file before it has been found to be a store.
#include "base/fail.hpp"
#include "store/checksum.hpp"
#include "store/creation.hpp"
#include "store/data_file.hpp"
#include "store/page_check.hpp"
#include "store/registry.hpp"
#include "store/transaction_impl.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::store {
namespace {

namespace fs = std::filesystem;

// So large that a file never outgrows it: growing a map while others write is where bugs live. It costs address space only.
constexpr std::size_t kMapBytes = std::size_t{1} << 40;
// What is tried last where address space is scarce (RLIMIT_AS, sanitizers).
constexpr std::size_t kSmallestMapBytes = std::size_t{1} << 26;
// NOTLS: a read transaction belongs to its pool, not to a thread. No NORDAHEAD: the working set of a queue is small, and
// what reads much of the file (list, check) reads it in order. Never WRITEMAP; NOSYNC only in memory.
constexpr unsigned kLmdbFlags = MDB_NOSUBDIR | MDB_NOTLS;

void open_lmdb(Environment::Impl& store, const fs::path& file, unsigned flags) {
  for (std::size_t map = kMapBytes;; map /= 2) {
    LmdbEnvironment env = make_lmdb();
    mdb_env_set_maxdbs(env.get(), kTreeCount);
    mdb_env_set_maxreaders(env.get(), kMaxReaders);
    mdb_env_set_mapsize(env.get(), map);
    const int code = mdb_env_open(env.get(), file.c_str(), kLmdbFlags | flags, 0600);
    if (code == ENOMEM && map > kSmallestMapBytes) continue;
    if (code == ENOMEM) base::throw_system(fmt::format("cannot map '{}'", store.name()), code);
    if (code == MDB_INVALID || code == MDB_VERSION_MISMATCH) {
      base::fail<StoreError>("cannot open '{}': '{}-lock' is in use by another version of LMDB", store.name(),
                             file.native());
    }
    if (code != 0) throw_lmdb(fmt::format("cannot open '{}'", store.name()), code);
    int fd = -1;
    mdb_env_get_fd(env.get(), &fd);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // the one that LMDB leaves open over exec
    store.env = std::move(env);
    return;
  }
}

// LMDB writes to its lock file through a map: on a full disk a missing block would be a SIGBUS, not an error.
// Returns its inode.
ino_t prepare_lock_file(const fs::path& file) {
  constexpr off_t kBytes = 128 * 1024;  // more than a table of kMaxReaders takes
  const std::string path = file.native() + "-lock";
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0 && status.st_blocks * 512 >= kBytes) return status.st_ino;
  const base::Fd fd = base::open_file(path, O_RDWR | O_CREAT);
  const bool done = ::fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, kBytes) == 0;
  if (!done && errno != EOPNOTSUPP && errno != ENOSYS)
    base::throw_system(fmt::format("cannot write '{}'", path), errno);
  return identify(fd.get(), path).second;
}

void open_trees(Environment::Impl& store, MDB_txn* txn) {
  for (std::size_t i = 0; i < kTreeCount; ++i) {
    const int code = mdb_dbi_open(txn, kTreeNames[i], 0, &store.trees[i]);
    if (code == MDB_NOTFOUND || code == MDB_INCOMPATIBLE) {
      base::fail<Unsupported>("cannot open '{}': it is an LMDB file, but not a tq store", store.name());
    }
    if (code != 0) throw_lmdb(fmt::format("cannot open '{}'", store.name()), code);
  }
}

FormatRecord read_format(Environment::Impl& store, MDB_txn* txn, std::uint32_t known) {
  MDB_val key = to_val(format_key());
  MDB_val stored{};
  const int code = mdb_get(txn, store.trees[0], &key, &stored);
  if (code != 0 && code != MDB_NOTFOUND) throw_lmdb(fmt::format("cannot open '{}'", store.name()), code);
  const std::string_view bytes = code == 0 ? to_view(stored) : std::string_view();
  const std::optional<std::string_view> record = verified(format_key(), bytes);
  if (!record && bytes.starts_with(std::string_view("tqstore"))) {
    if (store.alone) return {known, std::string(16, '\0')};  // to be rebuilt: the new one has its own
    base::fail<Damaged>("cannot open '{}': its format record is damaged", store.name());
  }
  return decode_format(record.value_or(std::string_view()), known, store.name());
}

// The first reader opens the trees and proves the format. Committing it, not resetting it, makes the handles last.
FormatRecord read_layout(Environment::Impl& store, const Format& format) {
  MDB_txn* txn = ReaderPool::make(store.env.get(), store.name());
  try {
    open_trees(store, txn);
    FormatRecord record = read_format(store, txn, format.version);
    mdb_txn_commit(txn);
    return record;
  } catch (...) {
    mdb_txn_abort(txn);
    throw;
  }
}

// The data file, created if it is missing; for as long as another process replaces it, looked at again.
base::Fd data_file(const fs::path& path, LockFile& locks) {
  for (;;) {
    if (!identify(path)) {
      if (locks.in_use()) {
        base::fail<StoreError>(
            "cannot create '{}': a process still has the deleted file of that name open; end it first", path.native());
      }
      create_store(path);
    }
    base::Fd fd = open_data_file(path);
    if (identify(path) == identify(fd.get(), path)) return fd;
  }
}

// One file, one name, one pair of lock files, as long as anybody has it open. Otherwise two processes would not see each
// other's locks: after a hard link, or when one of the files is renamed, replaced or removed while it is in use.
void claim_name(int data, FileId id, LockFile& locks, ino_t lmdb_lock, const fs::path& path) {
  const std::uint64_t both_locks = std::uint64_t{locks.inode()} * 0x9e3779b97f4a7c15 ^ lmdb_lock;
  if (!hold_mark(data, both_locks, path)) {
    base::fail<StoreError>(
        "cannot open '{}': a process has it open under another name, or since before its lock files were "
        "removed; end that process first",
        path.native());
  }
  if (!locks.mark_open(id.second)) {
    base::fail<StoreError>("cannot open '{}': a process still has the file open that was here before; end it first",
                           path.native());
  }
}

}  // namespace

class Opening {
 public:
  explicit Opening(const EnvironmentOptions& options)
      : options_(options), format_(options.format != nullptr ? *options.format : current_format()) {}

  std::pair<FileId, std::shared_ptr<Environment>> file(const fs::path& path, const registry::IsOpen& is_open) {
    prepare(path);
    const auto locks = std::make_shared<LockFile>(path.native() + "-locks");
    const WriteLock lock(locks);
    base::Fd data = data_file(path, *locks);
    const FileId id = identify(data.get(), path);
    if (is_open(id)) return {id, nullptr};
    refuse_cut_off(data.get(), path);
    refuse_broken_roots(data.get(), path);
    finish_creation(data.get(), path);
    const bool is_first = !locks->in_use();
    claim_name(data.get(), id, *locks, prepare_lock_file(path), path);
    auto impl = std::make_unique<Environment::Impl>(path, locks, std::move(data));
    impl->id = id;
    return {id, finish(std::move(impl), path, 0, is_first)};
  }

  std::shared_ptr<Environment> memory() {
    const fs::path file = private_directory() / "jobs.tq";
    try {
      write_empty_store(file);
      auto impl = std::make_unique<Environment::Impl>(fs::path(), std::make_shared<LockFile>(""), open_data_file(file));
      const WriteLock lock(impl->locks);
      auto environment = finish(std::move(impl), file, MDB_NOSYNC, true);
      remove(file);
      return environment;
    } catch (...) {
      remove(file);
      throw;
    }
  }

  std::shared_ptr<Environment> alone(const fs::path& path, const fs::path& file, bool writable) {
    base::Fd data = open_data_file(file);
    if (!writable) {
      refuse_cut_off(data.get(), path);
      refuse_broken_roots(data.get(), path);
    }
    auto impl = std::make_unique<Environment::Impl>(path, std::make_shared<LockFile>(""), std::move(data));
    impl->alone = true;
    const WriteLock lock(impl->locks);
    return finish(std::move(impl), file, MDB_NOLOCK | (writable ? MDB_NOSYNC : MDB_RDONLY), true);
  }

 private:
  // What can be refused before any side file is made.
  void prepare(const fs::path& path) {
    const bool is_there = identify(path).has_value();
    if (!is_there && !options_.create) {
      base::fail<NotFound>("there is no store at '{}'", path.native());
    }
    if (!is_there) make_parent_directory(path);
    refuse_network(path);
    if (is_there) open_data_file(path);
  }

  // The caller holds the kernel's write lock, also while a failure closes LMDB again.
  std::shared_ptr<Environment> finish(std::unique_ptr<Environment::Impl> impl, const fs::path& file, unsigned flags,
                                      bool is_first) {
    impl->opening = true;
    impl->quota_bytes = options_.quota_bytes;
    open_lmdb(*impl, file, flags);
    int dead = 0;
    mdb_reader_check(impl->env.get(), &dead);
    const FormatRecord record = read_layout(*impl, format_);
    impl->uuid = record.uuid;
    impl->readers.give(ReaderPool::make(impl->env.get(), impl->name()));
    Environment::Impl& store = *impl;
    std::shared_ptr<Environment> environment(new Environment(std::move(impl)));
    if (record.version < format_.version) {
      WriteTransaction txn = environment->write_in_opening();
      migrate(txn, record, format_);
      txn.commit();
    }
    if (!environment->in_memory() && !store.alone) open_intake(*environment, is_first);
    store.opening = false;
    return environment;
  }

  static void open_intake(Environment& environment, bool is_first) {
    ReadTransaction txn = environment.read();
    environment.impl().intake = std::make_unique<Intake>(environment.side_path("-intake"), environment.locks(),
                                                         intake_end(txn.impl()), is_first);
  }

  static fs::path private_directory() {
    const char* const variable = std::getenv("TMPDIR");
    for (const char* parent : {"/dev/shm", variable != nullptr ? variable : "/tmp", "/tmp"}) {
      std::string name = std::string(parent) + "/tq-XXXXXX";
      if (::mkdtemp(name.data()) != nullptr) return name;
    }
    base::throw_system("cannot make a directory for a store in memory", errno);
  }

  // The files live on through their descriptors.
  static void remove(const fs::path& file) {
    std::error_code ignored;
    fs::remove(file, ignored);
    fs::remove(file.native() + "-lock", ignored);
    fs::remove(file.parent_path(), ignored);
  }

  const EnvironmentOptions& options_;
  const Format& format_;
};

std::shared_ptr<Environment> Environment::open(const std::filesystem::path& path, const EnvironmentOptions& options) {
  Opening opening(options);
  if (path == ":memory:") return opening.memory();
  const fs::path file = resolve(path);
  auto environment = registry::find_or_open(
      [&] { return identify(file); }, [&](const registry::IsOpen& is_open) { return opening.file(file, is_open); });
  if (options.quota_bytes != 0) environment->impl().quota_bytes = options.quota_bytes;
  return environment;
}

std::shared_ptr<Environment> Environment::open_alone(const fs::path& path, const fs::path& file, bool writable) {
  const EnvironmentOptions options;
  return Opening(options).alone(path, file, writable);
}

Environment::~Environment() {
  if (in_memory() || impl_->alone || impl_->pid != ::getpid() || impl_->opening) return;
  registry::close(impl_->id, [&] { impl_.reset(); });
}

}  // namespace tq::store
