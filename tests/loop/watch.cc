#include "loop/watch.hpp"

#include "loop/forked.hpp"
#include "loop/timer.hpp"

#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <memory>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>

using namespace tq::loop;
using tq::test::Forked;

namespace {

struct Pipe {
  tq::base::Fd reading;
  tq::base::Fd writing;
  Pipe() {
    int ends[2];
    BOOST_REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    reading = tq::base::Fd(ends[0]);
    writing = tq::base::Fd(ends[1]);
  }
};

// Runs until the process is seen dead. How it is said to have ended.
std::string watch_until_dead(pid_t pid, std::uint64_t started) {
  EventLoop loop;
  int died = 0;
  std::unique_ptr<DeathWatch> watch;
  std::string how;
  watch = std::make_unique<DeathWatch>(loop, pid, started, [&] {
    ++died;
    how = watch->how();
    loop.stop();
  });
  BOOST_TEST(died == 0);
  loop.run();
  BOOST_TEST(died == 1);
  return how;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loop_watch)

BOOST_AUTO_TEST_CASE(a_watch_tells_as_long_as_something_can_be_read) {
  EventLoop loop;
  Pipe pipe;
  std::string read;
  const Watch watch(loop, pipe.reading.get(), [&] {
    char byte;
    BOOST_TEST(::read(pipe.reading.get(), &byte, 1) == 1);
    read += byte;
    if (read.size() == 3) loop.stop();
  });
  tq::base::write_all(pipe.writing.get(), "abc", "pipe");
  loop.run();
  BOOST_TEST(read == "abc");
}

BOOST_AUTO_TEST_CASE(a_watch_tells_of_the_end) {
  EventLoop loop;
  Pipe pipe;
  bool told = false;
  const Watch watch(loop, pipe.reading.get(), [&] {
    told = true;
    loop.stop();
  });
  pipe.writing.reset();
  loop.run();
  BOOST_TEST(told);
}

BOOST_AUTO_TEST_CASE(a_watch_may_be_destroyed_in_its_own_callback) {
  EventLoop loop;
  Pipe pipe;
  int told = 0;
  std::unique_ptr<Watch> watch;
  const std::string text(100, 'x');
  watch = std::make_unique<Watch>(loop, pipe.reading.get(), [&, text] {
    watch.reset();
    told += text.size() == 100 ? 1 : 100;
  });
  pipe.writing.reset();
  Timer end(loop, [&] { loop.stop(); });
  end.start(tq::Duration{5});
  loop.run();
  BOOST_TEST(told == 1);
}

BOOST_AUTO_TEST_CASE(a_destroyed_watch_tells_nothing_and_its_descriptor_may_be_watched_again) {
  EventLoop loop;
  Pipe pipe;
  tq::base::write_all(pipe.writing.get(), "a", "pipe");
  bool told_first = false;
  bool told_second = false;
  auto first = std::make_unique<Watch>(loop, pipe.reading.get(), [&] { told_first = true; });
  first.reset();
  const Watch second(loop, pipe.reading.get(), [&] {
    told_second = true;
    loop.stop();
  });
  loop.run();
  BOOST_TEST(!told_first);
  BOOST_TEST(told_second);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_watched_is_refused) {
  EventLoop loop;
  BOOST_CHECK_THROW(Watch(loop, -1, [] {}), tq::IoError);
  const tq::base::Fd file = tq::base::open_file("/proc/self/exe", O_RDONLY);  // a file can always be read
  BOOST_CHECK_THROW(Watch(loop, file.get(), [] {}), tq::IoError);
}

BOOST_AUTO_TEST_CASE(a_process_is_told_from_others_by_its_start_whatever_its_name) {
  const std::uint64_t own = process_started(::getpid());
  BOOST_TEST(own != 0u);
  BOOST_TEST(process_started(::getpid()) == own);
  char name[16] = {};
  ::prctl(PR_GET_NAME, name);
  ::prctl(PR_SET_NAME, "a) R 1 (b 2 3");
  BOOST_TEST(process_started(::getpid()) == own);
  ::prctl(PR_SET_NAME, name);
  BOOST_TEST(process_started(1) < own);
  BOOST_TEST(process_started(0) == 0u);
  BOOST_TEST(process_started(-1) == 0u);
  BOOST_TEST(process_started(1 << 30) == 0u);
}

BOOST_AUTO_TEST_CASE(a_death_is_told_with_its_cause) {
  Forked killed([] { ::pause(); });
  const std::uint64_t started = process_started(killed.pid());
  ::kill(killed.pid(), SIGTERM);
  BOOST_TEST(watch_until_dead(killed.pid(), started) == "was killed by SIGTERM");
  Forked exited([] { ::_exit(3); });
  BOOST_TEST(watch_until_dead(exited.pid(), process_started(exited.pid())) == "exited with status 3");
}

BOOST_AUTO_TEST_CASE(a_death_is_not_told_before_it_happens) {
  EventLoop loop;
  Forked child([] { ::pause(); });
  bool died = false;
  const DeathWatch watch(loop, child.pid(), process_started(child.pid()), [&] {
    died = true;
    loop.stop();
  });
  Timer timer(loop, [&] {
    BOOST_TEST(!died);
    ::kill(child.pid(), SIGKILL);
  });
  timer.start(tq::Duration{10});
  loop.run();
  BOOST_TEST(died);
}

BOOST_AUTO_TEST_CASE(a_process_that_is_gone_is_dead) {
  Forked child([] {});
  const pid_t pid = child.pid();
  const std::uint64_t started = process_started(pid);
  child.wait();
  watch_until_dead(pid, started);
  watch_until_dead(0, 1);
  watch_until_dead(-1, 1);
}

BOOST_AUTO_TEST_CASE(a_process_that_began_at_another_time_is_another_one) {
  watch_until_dead(::getpid(), process_started(::getpid()) + 1);
  watch_until_dead(::getpid(), 0);
}

BOOST_AUTO_TEST_CASE(a_death_watch_may_be_destroyed_before_and_in_its_callback) {
  EventLoop loop;
  Forked child([] { ::pause(); });
  const std::uint64_t started = process_started(child.pid());
  auto before = std::make_unique<DeathWatch>(loop, child.pid(), started, [] { BOOST_ERROR("told"); });
  std::unique_ptr<DeathWatch> watch;
  const std::string text(100, 'x');
  watch = std::make_unique<DeathWatch>(loop, child.pid(), started, [&, text] {
    watch.reset();
    if (text.size() == 100) loop.stop();
  });
  before.reset();
  ::kill(child.pid(), SIGKILL);
  loop.run();
}

BOOST_AUTO_TEST_SUITE_END()
