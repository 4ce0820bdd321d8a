#include "store/environment.hpp"

#include "base/fail.hpp"
#include "base/failpoint.hpp"
#include "store/transaction_impl.hpp"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace tq::store {
namespace {

// Dead readers keep pages from being used again; they are looked for when a store is opened, and every so many writes.
constexpr std::uint64_t kWritesPerReaderCheck = 256;

template <class Action>
class Finally {
 public:
  explicit Finally(Action action) : action_(std::move(action)) {}
  ~Finally() { action_(); }
  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;

 private:
  Action action_;
};

}  // namespace

Environment::Impl::Impl(std::filesystem::path file, std::shared_ptr<LockFile> lock_file, base::Fd data_file)
    : path(std::move(file)),
      pid(::getpid()),
      locks(std::move(lock_file)),
      data(std::move(data_file)),
      reserve(path.empty() ? -1 : data.get()) {}

Environment::Impl::~Impl() {
  if (pid != ::getpid()) {
    static_cast<void>(env.release());  // the parent's: closing it here would end nothing well
    return;
  }
  std::optional<WriteLock> lock;
  try {
    if (!opening) lock.emplace(locks);
  } catch (const IoError&) {
    // Closed without: no LMDB of today minds, only some that were withdrawn (0.9.26 to 0.9.31).
  }
  readers.clear();
  env.reset();
}

void Environment::Impl::refuse_after_fork() const {
  if (pid != ::getpid()) base::fail<StoreError>("'{}' was opened before fork(): open it again in the child", name());
}

MDB_txn* Environment::Impl::make_reader() {
  // A thread that is writing holds the lock already.
  if (writer_.load() == std::this_thread::get_id()) return ReaderPool::make(env.get(), name());
  const std::lock_guard turn(writers_);
  const WriteLock lock(locks);
  return ReaderPool::make(env.get(), name());
}

MDB_txn* Environment::Impl::begin_read() {
  refuse_after_fork();
  if (MDB_txn* txn = readers.take(name())) return txn;
  return make_reader();
}

void Environment::Impl::check_writable() {
  refuse_after_fork();
  if (!failed_.load()) return;
  const std::lock_guard lock(failure_mutex_);
  throw IoError(failure_, EIO);
}

MDB_txn* Environment::Impl::begin_write_locked() {
  MDB_txn* txn = nullptr;
  if (const int code = mdb_txn_begin(env.get(), nullptr, 0, &txn)) {
    if (code == MDB_PANIC) refuse_writing("LMDB has given up on it");
    throw_lmdb(fmt::format("cannot write to '{}'", name()), code);
  }
  writer_.store(std::this_thread::get_id());
  if (written_++ % kWritesPerReaderCheck == kWritesPerReaderCheck - 1) {
    int dead = 0;
    mdb_reader_check(env.get(), &dead);
  }
  return txn;
}

MDB_txn* Environment::Impl::begin_write() {
  check_writable();
  TQ_ASSERT(writer_.load() != std::this_thread::get_id());  // else it would wait for itself
  writers_.lock();
  try {
    check_writable();  // it may have failed while we waited
    locks->lock_write();
    try {
      return begin_write_locked();
    } catch (...) {
      locks->unlock_write();
      throw;
    }
  } catch (...) {
    writers_.unlock();
    throw;
  }
}

void Environment::Impl::end_write() {
  writer_.store(std::thread::id());
  if (opening) return;
  locks->unlock_write();
  writers_.unlock();
}

void Environment::Impl::refuse_writing(const std::string& reason) {
  const std::lock_guard lock(failure_mutex_);
  if (failed_.load()) return;
  failure_ = fmt::format("'{}' is closed to writing since a commit failed ({}): open it again", name(), reason);
  failed_.store(true);
}

void Environment::Impl::prepare_to_remove(std::size_t files) { to_remove_.reserve(to_remove_.size() + files); }

void Environment::Impl::commit(MDB_txn* txn, Sync sync, std::vector<std::string> unreferenced, std::uint64_t taken) {
  int code = base::failpoint_errno("store.commit.before");
  if (code != 0) {
    mdb_txn_abort(txn);
  } else {
    // Per transaction, in effect: the flag is looked at in the commit, which nobody else is in.
    if (!path.empty()) mdb_env_set_flags(env.get(), MDB_NOMETASYNC, sync == Sync::relaxed ? 1 : 0);
    code = mdb_txn_commit(txn);
  }
  if (code != 0) {
    const Finally finally([&] { end_write(); });
    fail_write(fmt::format("cannot commit to '{}'", name()), code);
  }
  TQ_FAILPOINT("store.commit.after");
  // A power cut may undo a relaxed commit: then the files must still be there. There is room for their names.
  std::move(unreferenced.begin(), unreferenced.end(), std::back_inserter(to_remove_));
  std::vector<std::string> removable;
  if (sync == Sync::full) removable.swap(to_remove_);
  if (intake) intake->took(taken, sync == Sync::full);
  end_write();
  for (const std::string& side_file : removable) ::unlink(side_file.c_str());
}

bool Environment::Impl::is_for_want_of_space(int code) {
  const bool says_so = code == ENOSPC || code == EDQUOT || code == EFBIG;
  if (!says_so && code != EIO) return false;
  if (path.empty()) return says_so;
  // Only if nothing that had been written was lost: our own descriptor is told of every failed write-back as well.
  if (::fdatasync(data.get()) != 0) return false;
  // LMDB calls a write that was cut short EIO, too.
  return says_so || reserve.exhausted(extent_bytes(env.get()));
}

// LMDB gives up for good when its meta page could not be written, whatever the reason.
bool Environment::Impl::has_given_up() {
  try {
    readers.give(begin_read());
    return false;
  } catch (const StoreError&) {
    return true;
  }
}

void Environment::Impl::fail_write(const std::string& what, int code) {
  if (is_for_want_of_space(code) && !has_given_up()) {
    const int reason = code == EIO ? ENOSPC : code;
    throw DiskFull(fmt::format("{}: {}", what, base::system_reason(reason)), reason);
  }
  const std::string reason = code > 0 ? base::system_reason(code) : mdb_strerror(code);
  refuse_writing(reason);
  throw IoError(fmt::format("{}: {}", what, reason), code > 0 ? code : EIO);
}

std::uint64_t Environment::Impl::count_free_bytes() {
  MDB_txn* const read = begin_read();
  const Finally finally([&] { readers.give(read); });
  return free_bytes(read);
}

// Both look at the list of free pages, which takes time, only when it matters.

bool Environment::Impl::fits_quota(std::uint64_t added) {
  const std::uint64_t quota = quota_bytes.load(std::memory_order_relaxed);
  const std::uint64_t extent = extent_bytes(env.get());
  return quota == 0 || extent + added <= quota || extent - count_free_bytes() + added <= quota;
}

void Environment::Impl::require_quota(std::uint64_t added) {
  if (fits_quota(added)) return;
  const std::uint64_t quota = quota_bytes.load(std::memory_order_relaxed);
  const std::uint64_t used = extent_bytes(env.get()) - count_free_bytes();
  base::fail<QueueFull>("'{}' is full: {} of the {} bytes of its quota are in use", name(), used, quota);
}

bool Environment::Impl::keeps_reserve(std::uint64_t added) {
  return reserve.keep(extent_bytes(env.get()), added) || count_free_bytes() >= kReserveBytes + added;
}

void Environment::Impl::require_reserve(std::uint64_t added) {
  if (keeps_reserve(added)) return;
  throw DiskFull(fmt::format("cannot add to '{}': the disk is full, and the last {} KiB are kept for completing jobs",
                             name(), kReserveBytes / 1024),
                 ENOSPC);
}

Environment::Environment(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

namespace {

// Who cannot have it gives it back: the locks are not to be kept for want of memory.
std::unique_ptr<Transaction::Impl> own(Environment& environment, MDB_txn* txn, bool writes) {
  try {
    return std::make_unique<Transaction::Impl>(environment, txn, writes);
  } catch (...) {
    Environment::Impl& store = environment.impl();
    if (writes) {
      mdb_txn_abort(txn);
      store.end_write();
    } else {
      store.readers.give(txn);
    }
    throw;
  }
}

}  // namespace

ReadTransaction Environment::read() { return ReadTransaction(own(*this, impl_->begin_read(), false)); }

WriteTransaction Environment::write() { return WriteTransaction(own(*this, impl_->begin_write(), true)); }

WriteTransaction Environment::write_in_opening() {
  return WriteTransaction(own(*this, impl_->begin_write_locked(), true));
}

const std::string& Environment::uuid() const { return impl_->uuid; }
bool Environment::in_memory() const { return impl_->path.empty(); }
const std::filesystem::path& Environment::path() const { return impl_->path; }

Environment::Intaken Environment::add_to_intake(std::string_view record, const std::function<void()>& seen) {
  if (impl_->intake == nullptr || record.size() > Intake::kMostBytes) return {};
  impl_->check_writable();
  // What lies in the intake needs its place in the data file later on, and some more for the pages around it.
  constexpr std::uint64_t kGrowth = 3;
  const std::uint64_t added = kGrowth * (impl_->intake->pending_bytes() + record.size());
  if (!impl_->fits_quota(added) || !impl_->keeps_reserve(added)) return {};
  try {
    const Intake::Added answer = impl_->intake->add(record, seen);
    return {answer.number, answer.fills_up};
  } catch (const IoError& error) {
    impl_->refuse_writing(error.what());
    throw;
  }
}

bool Environment::intake_is_pending() const { return impl_->intake != nullptr && impl_->intake->is_pending(); }

void Environment::raise_intake(std::uint64_t next) {
  if (impl_->intake != nullptr) impl_->intake->raise_next(next);
}

std::string Environment::side_path(const std::string& suffix) const {
  return in_memory() ? std::string() : impl_->path.native() + suffix;
}

LockFile& Environment::locks() { return *impl_->locks; }

Usage Environment::usage() {
  struct stat status {};
  if (::fstat(impl_->data.get(), &status) != 0)
    base::throw_system(fmt::format("cannot look at '{}'", impl_->name()), errno);
  const std::uint64_t free = impl_->count_free_bytes();
  return {static_cast<std::uint64_t>(status.st_size), extent_bytes(impl_->env.get()) - free};
}

}  // namespace tq::store
