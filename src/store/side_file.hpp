// Files in `jobs.tq-blobs`: one large blob each, written and synced before the transaction that refers to it.
//
// Whoever writes one holds a lock on it (flock) until its transaction has committed or failed. So a file that nobody holds
// and no record names is what a kill left, and may be removed.
#pragma once

#include "base/fd.hpp"
#include "store/environment.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tq::store {

// A side file that no committed record names yet. Removed again unless kept. One thread at a time.
class SideFile {
 public:
  // Writes and syncs it, and its directory. Throws IoError, DiskFull.
  SideFile(Environment& environment, std::string_view bytes);
  ~SideFile();
  SideFile(SideFile&& other) noexcept = default;
  SideFile& operator=(SideFile&& other) noexcept = delete;

  const std::string& name() const { return name_; }
  // A record that names it has been committed, or may have been.
  void keep() { fd_.reset(); }

 private:
  bool create(const std::string& directory);

  std::string path_;
  std::string name_;  // 16 hexadecimal digits
  base::Fd fd_;       // holds the lock; none once kept or moved from
};

std::string side_file_path(const Environment& environment, const std::string& name);
// The bytes of a side file, or nothing if there is none of that name. Throws IoError.
std::optional<std::string> read_side_file(const Environment& environment, const std::string& name);
// Its size, or nothing.
std::optional<std::uint64_t> side_file_size(const Environment& environment, const std::string& name);
// Writes and syncs one of that name, in place of any that is there; sync_side_files() sees to the names. For a store that nobody
// else knows yet. Throws IoError, DiskFull.
void write_side_file(Environment& environment, const std::string& name, std::string_view bytes);
void sync_side_files(const Environment& environment);
// Removes it if it is there.
void remove_side_file(const Environment& environment, const std::string& name);
// The side files that nobody is writing, in batches: `visit` is called with names whose locks are held during the call.
void visit_idle_side_files(const Environment& environment,
                           const std::function<void(const std::vector<std::string>&)>& visit);

}  // namespace tq::store
