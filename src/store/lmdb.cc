#include "store/lmdb.hpp"

#include "base/fail.hpp"

#include <cerrno>
#include <new>

namespace tq::store {

LmdbEnvironment make_lmdb() {
  MDB_env* env = nullptr;
  if (mdb_env_create(&env) != 0) throw std::bad_alloc();
  return LmdbEnvironment(env);
}

void throw_lmdb(const std::string& what, int code) {
  using base::fail;
  if (code == ENOMEM) throw std::bad_alloc();
  if (code > 0) base::throw_system(what, code);
  switch (code) {
    case MDB_MAP_FULL:
      fail<QueueFull>("{}: it has reached the size that this process can map", what);
    case MDB_MAP_RESIZED:
      fail<StoreError>("{}: it has grown past what this process can map; start it again with more address space", what);
    case MDB_READERS_FULL:
      fail<StoreError>("{}: all its reader slots are taken; end some of the processes that use it", what);
    case MDB_BAD_TXN:
      fail<StoreError>("{}: an earlier step of this transaction has failed", what);
    case MDB_TXN_FULL:
      fail<StoreError>("{}: too many changes in one transaction", what);
    default:
      fail<Damaged>("{}: {}", what, mdb_strerror(code));
  }
}

}  // namespace tq::store
