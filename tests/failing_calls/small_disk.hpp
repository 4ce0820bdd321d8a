// A file system of 16 MB in memory, to be filled to the last byte. It takes root, or a namespace of one's own in which one is.
#pragma once

#include "base/fail.hpp"
#include "base/fd.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace tq::test {

class SmallDisk {
 public:
  SmallDisk() {
    if (::mount("tmpfs", dir_.path().c_str(), "tmpfs", 0, "size=16m") != 0)
      base::throw_system("cannot mount a small disk at '" + dir_.path() + "'", errno);
    const base::Fd file = base::open_file(filler(), O_WRONLY | O_CREAT);
    base::write_all(file.get(), std::string(kRoomBytes, 'x'), filler());
  }
  ~SmallDisk() { ::umount2(dir_.path().c_str(), MNT_DETACH); }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

  // May this process have one? If not at once, then in a namespace of its own; to be asked before there is any thread.
  static bool is_allowed() {
    if (::geteuid() != 0 && !become_root()) return false;
    try {
      const SmallDisk trial;
      return true;
    } catch (const IoError&) {
      return false;
    }
  }

  std::string path() const { return dir_ / "jobs.tq"; }

  // Another file takes all that is left.
  void fill() {
    const base::Fd file = base::open_file(filler(), O_WRONLY | O_CREAT | O_APPEND);
    const std::string bytes(64 * 1024, 'x');
    for (std::size_t size = bytes.size(); size > 0;) {
      if (::write(file.get(), bytes.data(), size) < 0) size /= 2;
    }
    struct statvfs status {};
    BOOST_REQUIRE(::statvfs(dir_.path().c_str(), &status) == 0);
    BOOST_REQUIRE_EQUAL(status.f_bavail, 0u);
  }
  void make_room() { BOOST_REQUIRE(::unlink(filler().c_str()) == 0); }

 private:
  static constexpr std::size_t kRoomBytes = 4 << 20;  // that is there after make_room()

  std::string filler() const { return dir_ / "filler"; }

  static bool become_root() {
    const std::string uid = "0 " + std::to_string(::getuid()) + " 1";
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return false;
    const base::Fd map(::open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC));
    return map && ::write(map.get(), uid.data(), uid.size()) == static_cast<ssize_t>(uid.size());
  }

  TempDir dir_;
};

}  // namespace tq::test
