// The seam to LMDB: its byte strings, its handles and its error numbers in our terms.
#pragma once

#include <lmdb.h>

#include <memory>
#include <string>
#include <string_view>

namespace tq::store {

// MDB_val has no const; LMDB does not write through the keys and values it is given.
inline MDB_val to_val(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
inline std::string_view to_view(const MDB_val& val) { return {static_cast<const char*>(val.mv_data), val.mv_size}; }

struct CloseLmdb {
  void operator()(MDB_env* env) const { mdb_env_close(env); }
};
using LmdbEnvironment = std::unique_ptr<MDB_env, CloseLmdb>;

// A handle that is not open yet. Throws std::bad_alloc.
LmdbEnvironment make_lmdb();

// Throws what `code`, LMDB's or an errno, means; `what` says which operation on which file failed.
[[noreturn]] void throw_lmdb(const std::string& what, int code);

}  // namespace tq::store
