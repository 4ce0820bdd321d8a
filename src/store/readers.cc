#include "store/readers.hpp"

#include "base/fail.hpp"

#include <cerrno>
#include <unistd.h>

namespace tq::store {

MDB_txn* ReaderPool::take(const std::string& name) {
  for (;;) {
    MDB_txn* txn = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (free_.empty()) return nullptr;
      txn = free_.back();
      free_.pop_back();
    }
    const int code = mdb_txn_renew(txn);
    if (code == 0) return txn;
    // Somebody took the slot from us, believing this process dead (its lock is lost when any code closes a descriptor of
    // LMDB's lock file). Ending the transaction would clear a slot that is another's by now: it is leaked instead.
    if (code == MDB_BAD_RSLOT) continue;
    give(txn);
    throw_lmdb(fmt::format("cannot read '{}'", name), code);
  }
}

MDB_txn* ReaderPool::make(MDB_env* env, const std::string& name) {
  MDB_txn* txn = nullptr;
  int code = mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  if (code == MDB_READERS_FULL) {
    int dead = 0;
    mdb_reader_check(env, &dead);
    code = mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  }
  // LMDB knows processes by their numbers, and locks a byte of its lock file for each.
  if (code == EAGAIN || code == EACCES) {
    base::fail<Unsupported>("cannot use '{}': a process of another container that has the same number, {}, has it open",
                            name, ::getpid());
  }
  if (code != 0) throw_lmdb(fmt::format("cannot read '{}'", name), code);
  return txn;
}

void ReaderPool::give(MDB_txn* txn) noexcept {
  mdb_txn_reset(txn);
  const std::lock_guard lock(mutex_);
  free_.push_back(txn);
}

void ReaderPool::clear() {
  const std::lock_guard lock(mutex_);
  for (MDB_txn* txn : free_) mdb_txn_abort(txn);
  free_.clear();
}

}  // namespace tq::store
