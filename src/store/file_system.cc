#include "store/file_system.hpp"

#include "base/fail.hpp"
#include "store/data_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace tq::store {
namespace {

using base::fail;
namespace fs = std::filesystem;

void refuse_unless_regular(const fs::path& path, const struct stat& status) {
  if (S_ISDIR(status.st_mode)) {
    fail<Unsupported>("cannot open '{}': it is a directory, and a store is a file, such as '{}'", path.native(),
                      (path / "jobs.tq").native());
  }
  if (!S_ISREG(status.st_mode)) fail<Unsupported>("cannot open '{}': it is not a regular file", path.native());
}

// Returns how many were not there.
std::size_t make_directories(const fs::path& directory) {
  if (::mkdir(directory.c_str(), 0700) == 0) return 1;
  if (errno == EEXIST) return 0;
  if (errno != ENOENT) base::throw_system(fmt::format("cannot make the directory '{}'", directory.native()), errno);
  const std::size_t made = make_directories(directory.parent_path());
  return made + make_directories(directory);
}

}  // namespace

fs::path resolve(const fs::path& path) {
  if (path.empty()) fail<InvalidArgument>("the path of the store is empty");
  fs::path resolved = fs::absolute(path);
  // "a/.." is not nothing if a is a symbolic link: only the file system can tell.
  const bool climbs = std::find(resolved.begin(), resolved.end(), "..") != resolved.end();
  resolved = climbs ? fs::weakly_canonical(resolved.parent_path()) / resolved.filename() : resolved.lexically_normal();
  std::error_code ignored;
  for (int links = 0; fs::is_symlink(resolved, ignored); ++links) {
    if (links == 40) base::throw_system(fmt::format("cannot open '{}'", path.native()), ELOOP);
    resolved = resolved.parent_path() / fs::read_symlink(resolved, ignored);
  }
  return resolved;
}

FileId identify(int fd, const fs::path& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) base::throw_system(fmt::format("cannot look at '{}'", path.native()), errno);
  return {status.st_dev, status.st_ino};
}

std::optional<FileId> identify(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return FileId{status.st_dev, status.st_ino};
  if (errno == ENOENT) return std::nullopt;
  base::throw_system(fmt::format("cannot open '{}'", path.native()), errno);
}

void make_parent_directory(const fs::path& path) {
  std::size_t made = make_directories(path.parent_path());
  // Also what was there: whoever made it may not have come to this yet, or have been killed before. Where we may not write, or
  // cannot sync, it was none of us.
  for (fs::path above = path.parent_path().parent_path(); ::access(above.c_str(), W_OK) == 0;
       above = above.parent_path()) {
    try {
      base::sync_directory(above);
    } catch (const IoError&) {
      if (made != 0) throw;
    }
    made -= std::min<std::size_t>(made, 1);
    if (!above.has_relative_path()) break;
  }
}

bool is_network_file_system(std::uint64_t type) {
  // From linux/magic.h and the file systems' own headers. FUSE is not here: most of it is local, and sshfs looks the same.
  constexpr std::array<std::uint64_t, 13> kTypes = {
      0x6969,      // NFS
      0x517b,      // SMB
      0xff534d42,  // CIFS
      0xfe534d42,  // SMB2
      0x564c,      // NCP
      0x73757245,  // Coda
      0x5346414f,  // AFS (OpenAFS)
      0x6b414653,  // AFS (kernel)
      0x01021997,  // 9P
      0x00c36400,  // Ceph
      0x0bd00bd0,  // Lustre
      0x01161970,  // GFS2
      0x7461636f,  // OCFS2
  };
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

void refuse_network(const fs::path& path) {
  struct statfs status {};
  const fs::path parent = path.parent_path();
  if (::statfs(parent.c_str(), &status) != 0) base::throw_system(fmt::format("cannot open '{}'", path.native()), errno);
  // Some types have their top bit set, and the field is signed.
  if (is_network_file_system(static_cast<std::uint64_t>(status.f_type) & 0xffffffff)) {
    fail<Unsupported>(
        "cannot keep a store at '{}': it is on a network file system, where locks and shared memory do not hold; use a "
        "local disk",
        path.native());
  }
}

base::Fd open_data_file(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) base::throw_system(fmt::format("cannot open '{}'", path.native()), errno);
  refuse_unless_regular(path, status);
  base::Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd && errno == EROFS) {
    fail<Unsupported>("cannot open '{}': it is on a read-only file system, and also reading a store writes beside it",
                      path.native());
  }
  if (!fd) base::throw_system(fmt::format("cannot open '{}' for reading and writing", path.native()), errno);
  refuse_foreign(fd.get(), path);
  return fd;
}

}  // namespace tq::store
