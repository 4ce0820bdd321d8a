#include "store/file_system.hpp"

#include "store_test.hpp"

#include <linux/magic.h>

namespace tq::store {
namespace {

BOOST_FIXTURE_TEST_SUITE(file_system, StoreTest)

// As statfs() gives them, from the kernel's own list.
template <class... Type>
std::vector<std::uint64_t> types(Type... type) {
  return {static_cast<std::uint32_t>(type)...};
}

BOOST_AUTO_TEST_CASE(network_file_systems_are_known_by_their_numbers) {
  for (const std::uint64_t type : types(NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC,
                                        V9FS_MAGIC, AFS_FS_MAGIC, CODA_SUPER_MAGIC, CEPH_SUPER_MAGIC)) {
    BOOST_TEST(is_network_file_system(type), type);
  }
}

BOOST_AUTO_TEST_CASE(local_file_systems_are_not_taken_for_them) {
  for (const std::uint64_t type : types(EXT4_SUPER_MAGIC, TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC, XFS_SUPER_MAGIC,
                                        BTRFS_SUPER_MAGIC, FUSE_SUPER_MAGIC, MSDOS_SUPER_MAGIC)) {
    BOOST_TEST(!is_network_file_system(type), type);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_there_has_no_identity_and_what_is_has_one) {
  BOOST_TEST(!identify(std::filesystem::path(path)).has_value());
  write_file(path, "x");
  const base::Fd fd = base::open_file(path, O_RDONLY);
  BOOST_TEST((identify(std::filesystem::path(path)) == identify(fd.get(), path)));
}

BOOST_AUTO_TEST_CASE(a_resolved_path_is_absolute_and_leads_past_links) {
  BOOST_TEST(resolve("jobs.tq").is_absolute());
  BOOST_TEST(resolve(directory / "./jobs.tq").native() == path);
  std::filesystem::create_symlink("jobs.tq", directory / "relative.tq");
  std::filesystem::create_symlink("relative.tq", directory / "twice.tq");
  BOOST_TEST(resolve(directory / "twice.tq").native() == path);
  BOOST_CHECK_THROW(resolve(""), InvalidArgument);
}

BOOST_AUTO_TEST_CASE(a_parent_directory_that_cannot_be_made_is_named) {
  write_file(directory / "file", "x");
  BOOST_TEST(throws<IoError>([&] { make_parent_directory(directory / "file/a/jobs.tq"); }, directory / "file/a"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
