#include "base/fd.hpp"

#include "base/fail.hpp"
#include "support/message_of.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tq;
using base::Fd;

namespace {

bool is_open(int fd) { return ::fcntl(fd, F_GETFD) >= 0; }

}  // namespace

BOOST_AUTO_TEST_SUITE(base_fd)

BOOST_AUTO_TEST_CASE(the_owner_closes_it_once_and_a_move_moves_the_duty) {
  const test::TempDir dir;
  int number = -1;
  {
    Fd first = base::open_file(dir / "file", O_RDWR | O_CREAT);
    number = first.get();
    Fd second = std::move(first);
    BOOST_TEST(!first);  // NOLINT(bugprone-use-after-move): what a move leaves is promised
    BOOST_TEST(second.get() == number);
    BOOST_TEST(is_open(number));
  }
  BOOST_TEST(!is_open(number));
}

BOOST_AUTO_TEST_CASE(an_assignment_closes_what_was_held) {
  const test::TempDir dir;
  Fd first = base::open_file(dir / "a", O_RDWR | O_CREAT);
  const int old = first.get();
  Fd second = base::open_file(dir / "b", O_RDWR | O_CREAT);
  const int kept = second.get();
  first = std::move(second);
  BOOST_TEST(first.get() == kept);
  BOOST_TEST(!is_open(old));
}

BOOST_AUTO_TEST_CASE(a_released_descriptor_stays_open) {
  const test::TempDir dir;
  Fd owner = base::open_file(dir / "file", O_RDWR | O_CREAT);
  const int number = owner.release();
  owner.reset();
  BOOST_TEST(is_open(number));
  ::close(number);
}

BOOST_AUTO_TEST_CASE(closing_leaves_errno_as_it_was) {
  errno = EAGAIN;
  Fd(-1).reset();
  BOOST_TEST(errno == EAGAIN);
  Fd not_open(987654);  // close fails with EBADF
  errno = EAGAIN;
  not_open.reset();
  BOOST_TEST(errno == EAGAIN);
}

BOOST_AUTO_TEST_CASE(a_file_is_opened_for_its_owner_alone_and_not_for_children) {
  const test::TempDir dir;
  const Fd file = base::open_file(dir / "file", O_RDWR | O_CREAT);
  struct stat status {};
  BOOST_REQUIRE(::fstat(file.get(), &status) == 0);
  BOOST_TEST((status.st_mode & 0777) == 0600u);
  BOOST_TEST((::fcntl(file.get(), F_GETFD) & FD_CLOEXEC) != 0);
}

BOOST_AUTO_TEST_CASE(a_failure_to_open_names_the_path) {
  const test::TempDir dir;
  const std::string path = dir / "missing";
  const auto what = test::message_of<IoError>([&] { base::open_file(path, O_RDONLY); });
  BOOST_TEST(what == "cannot open '" + path + "': No such file or directory");
}

BOOST_AUTO_TEST_CASE(all_that_is_written_is_read_whatever_its_size) {
  const test::TempDir dir;
  test::Random random;
  for (const std::size_t size : {0u, 1u, 65535u, 65536u, 65537u, 300000u}) {
    std::string bytes(size, '\0');
    for (char& c : bytes) c = static_cast<char>(random.below(256));
    const Fd file = base::open_file(dir / "file", O_RDWR | O_CREAT | O_TRUNC);
    base::write_all(file.get(), bytes, "file");
    BOOST_REQUIRE(::lseek(file.get(), 0, SEEK_SET) == 0);
    BOOST_REQUIRE(base::read_all(file.get(), "file") == bytes);
  }
}

BOOST_AUTO_TEST_CASE(a_failure_to_read_or_write_names_the_file) {
  const test::TempDir dir;
  base::open_file(dir / "file", O_RDWR | O_CREAT);
  const Fd read_only = base::open_file(dir / "file", O_RDONLY);
  const Fd write_only = base::open_file(dir / "file", O_WRONLY);
  BOOST_TEST(test::message_of<IoError>([&] { base::write_all(read_only.get(), "x", "this"); }) ==
             "cannot write 'this': Bad file descriptor");
  BOOST_TEST(test::message_of<IoError>([&] { base::read_all(write_only.get(), "that"); }) ==
             "cannot read 'that': Bad file descriptor");
}

BOOST_AUTO_TEST_CASE(a_full_device_is_a_full_disk) {
  const Fd full = base::open_file("/dev/full", O_WRONLY);
  BOOST_CHECK_THROW(base::write_all(full.get(), "x", "/dev/full"), DiskFull);
}

BOOST_AUTO_TEST_CASE(only_a_directory_is_synced_as_one) {
  const test::TempDir dir;
  base::sync_directory(dir.path());
  base::open_file(dir / "file", O_RDWR | O_CREAT);
  BOOST_CHECK_THROW(base::sync_directory(dir / "file"), IoError);
  BOOST_CHECK_THROW(base::sync_directory(dir / "missing"), IoError);
}

BOOST_AUTO_TEST_SUITE_END()
