#include "store/lock_file.hpp"

#include "store_test.hpp"

#include <fcntl.h>
#include <sched.h>

namespace tq::store {
namespace {

// Bytes of the file, as LockFile has them in its table.
constexpr off_t kWriteByte = 0;
constexpr off_t kTurnByte = 1;

bool is_locked(const std::string& path, off_t byte) {
  const base::Fd fd = base::open_file(path, O_RDWR);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_start = byte;
  lock.l_len = 1;
  ensure(::fcntl(fd.get(), F_OFD_GETLK, &lock) == 0, "cannot ask for the lock");
  return lock.l_type != F_UNLCK;
}

struct LockFileTest {
  TempDir directory;
  std::string path = directory / "jobs.tq-locks";
};

BOOST_FIXTURE_TEST_SUITE(lock_file, LockFileTest)

BOOST_AUTO_TEST_CASE(the_write_lock_is_byte_0_and_others_see_it) {
  LockFile locks(path);
  BOOST_TEST(!is_locked(path, kWriteByte));
  locks.lock_write();
  BOOST_TEST(is_locked(path, kWriteByte));
  locks.unlock_write();
  BOOST_TEST(!is_locked(path, kWriteByte));
}

BOOST_AUTO_TEST_CASE(the_file_is_empty_and_private) {
  const LockFile locks(path);
  BOOST_TEST(read_file(path).empty());
  BOOST_TEST(mode_of(path) == 0600u);
}

BOOST_AUTO_TEST_CASE(who_waits_for_the_write_lock_gets_it_when_its_holder_is_killed) {
  Signal held;
  Child holder([&] {
    LockFile locks(path);
    locks.lock_write();
    held.raise();
    test::wait_for_ever();
  });
  held.wait();
  Child waiter([&] {
    LockFile locks(path);
    locks.lock_write();
  });
  holder.kill();
  BOOST_TEST(waiter.wait() == 0);
}

BOOST_AUTO_TEST_CASE(who_waits_goes_before_who_comes_back) {
  LockFile locks(path);
  locks.lock_write();
  Signal got_it;
  Child waiter([&] {
    LockFile others(path);
    others.lock_write();
    got_it.raise();
    others.unlock_write();
  });
  while (!is_locked(path, kTurnByte)) ::sched_yield();
  locks.unlock_write();
  locks.lock_write();
  got_it.wait();
  BOOST_TEST(waiter.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_worker_lives_while_its_descriptor_is_open) {
  LockFile locks(path);
  BOOST_TEST(!locks.worker_alive(7));
  base::Fd worker = locks.hold_worker(7);
  BOOST_TEST(locks.worker_alive(7));
  BOOST_TEST(!locks.worker_alive(6));
  BOOST_TEST(!locks.worker_alive(8));
  worker.reset();
  BOOST_TEST(!locks.worker_alive(7));
}

BOOST_AUTO_TEST_CASE(a_worker_is_held_once) {
  LockFile locks(path);
  LockFile others(path);
  const base::Fd worker = locks.hold_worker(7);
  BOOST_CHECK_THROW(locks.hold_worker(7), Conflict);
  BOOST_CHECK_THROW(others.hold_worker(7), Conflict);
  BOOST_TEST(others.worker_alive(7));
}

BOOST_AUTO_TEST_CASE(a_worker_lives_on_in_a_child_that_inherited_its_descriptor) {
  LockFile locks(path);
  base::Fd worker = locks.hold_worker(7);
  Child heir([] { test::wait_for_ever(); });
  worker.reset();
  BOOST_TEST(locks.worker_alive(7));
  heir.kill();
  BOOST_TEST(!locks.worker_alive(7));
}

BOOST_AUTO_TEST_CASE(a_killed_worker_is_dead) {
  Signal held;
  Child worker([&] {
    LockFile locks(path);
    const base::Fd fd = locks.hold_worker(7);
    held.raise();
    test::wait_for_ever();
  });
  held.wait();
  const LockFile locks(path);
  BOOST_TEST(locks.worker_alive(7));
  worker.kill();
  BOOST_TEST(!locks.worker_alive(7));
}

BOOST_AUTO_TEST_CASE(a_worker_is_held_though_the_file_was_renamed) {
  LockFile locks(path);
  std::filesystem::rename(path, path + "-moved");
  const base::Fd worker = locks.hold_worker(7);
  BOOST_TEST(locks.worker_alive(7));
}

BOOST_AUTO_TEST_CASE(a_lock_file_in_memory_works_the_same) {
  LockFile locks("");
  locks.lock_write();
  locks.unlock_write();
  base::Fd worker = locks.hold_worker(1);
  BOOST_TEST(locks.worker_alive(1));
  BOOST_CHECK_THROW(locks.hold_worker(1), Conflict);
  worker.reset();
  BOOST_TEST(!locks.worker_alive(1));
}

BOOST_AUTO_TEST_CASE(a_forked_child_does_not_keep_the_write_lock_of_its_dead_parent) {
  Signal forked;
  Signal end;
  Child parent([&] {
    LockFile locks(path);
    locks.lock_write();
    const Child orphan([&] {
      forked.raise();
      end.wait();
    });
    test::wait_for_ever();
  });
  forked.wait();
  parent.kill();  // not its child, which is still there
  LockFile locks(path);
  locks.lock_write();
  locks.unlock_write();
  end.raise();
}

BOOST_AUTO_TEST_CASE(all_who_mark_the_same_inode_may_have_it_open) {
  LockFile first(path);
  LockFile second(path);
  BOOST_TEST(!second.in_use());
  BOOST_TEST(first.mark_open(41));
  BOOST_TEST(second.in_use());
  BOOST_TEST(!first.in_use());
  BOOST_TEST(second.mark_open(41));
}

BOOST_AUTO_TEST_CASE(a_mark_for_another_inode_is_refused) {
  LockFile first(path);
  LockFile second(path);
  BOOST_TEST(first.mark_open(41));
  BOOST_TEST(!second.mark_open(40));
  BOOST_TEST(!second.mark_open(42));
  BOOST_TEST(!first.in_use());  // nothing stays of the refused marks
}

BOOST_AUTO_TEST_CASE(a_mark_ends_with_its_lock_file) {
  { LockFile(path).mark_open(41); }
  LockFile second(path);
  BOOST_TEST(second.mark_open(42));
}

BOOST_AUTO_TEST_CASE(a_lock_file_that_cannot_be_made_is_an_error_that_names_it) {
  BOOST_TEST(throws<IoError>([&] { LockFile(directory / "missing/jobs.tq-locks"); }, "missing/jobs.tq-locks"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace tq::store
