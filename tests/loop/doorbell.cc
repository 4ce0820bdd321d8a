#include "loop/doorbell.hpp"

#include "loop/forked.hpp"
#include "loop/witness.hpp"
#include "support/random.hpp"
#include "support/temp_dir.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <thread>
#include <vector>

using namespace tq::loop;
using namespace tq::test;
using tq::Duration;

namespace {

constexpr Topics kA = topic_of_queue(0);
constexpr Topics kB = topic_of_queue(1);
constexpr Duration kLong = std::chrono::seconds{60};

// Memory that forks share.
template <class T>
class Shared {
 public:
  Shared()
      : value_(static_cast<T*>(::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    BOOST_REQUIRE(value_ != MAP_FAILED);
    new (value_) T{};
  }
  ~Shared() { ::munmap(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_;
};

// Is the thread (or process) asleep in futex()?
bool sleeps_on_futex(pid_t thread) {
  std::ifstream file("/proc/" + std::to_string(thread) + "/syscall");
  std::string number;
  file >> number;
  return number == std::to_string(SYS_futex);
}

void wait_until_it_sleeps(const std::atomic<pid_t>& thread) {
  while (thread.load() == 0 || !sleeps_on_futex(thread.load())) std::this_thread::yield();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loop_doorbell)

BOOST_AUTO_TEST_CASE(a_ring_after_the_ticket_is_seen_without_sleeping) {
  Doorbell bell("");
  const auto ticket = bell.ticket();
  bell.ring(kA);
  BOOST_TEST(bell.wait(ticket, kA));
  BOOST_TEST(bell.wait(ticket, kB));  // spurious, and allowed
  BOOST_TEST(bell.ticket() != ticket);
}

BOOST_AUTO_TEST_CASE(a_wait_ends_with_its_time) {
  Doorbell bell("");
  for (const Duration timeout : {Duration{0}, Duration{3}, Duration{-1500}, Duration::min()}) {
    BOOST_TEST(!bell.wait(bell.ticket(), kA, timeout));
  }
}

BOOST_AUTO_TEST_CASE(a_sleeper_wakes_up_for_its_topics_only) {
  Doorbell bell("");
  std::atomic<pid_t> thread = 0;
  std::atomic<bool> rung_a = false;
  std::optional<bool> woken_by_a;
  std::thread sleeper([&] {
    const auto ticket = bell.ticket();
    thread = static_cast<pid_t>(::gettid());
    bell.wait(ticket, kA | kTopicFinal);
    woken_by_a = rung_a.load();
  });
  wait_until_it_sleeps(thread);
  for (int i = 0; i < 1000; ++i) {
    bell.ring(kB | kTopicEvents);
    std::this_thread::yield();
  }
  rung_a = true;
  bell.ring(kA);
  sleeper.join();
  BOOST_TEST(woken_by_a.value());
}

BOOST_AUTO_TEST_CASE(a_ring_wakes_all_who_wait_for_it) {
  Doorbell bell("");
  std::vector<std::atomic<pid_t>> threads(8);
  std::atomic<int> woken = 0;
  std::vector<std::thread> sleepers;
  for (auto& thread : threads) {
    sleepers.emplace_back([&] {
      const auto ticket = bell.ticket();
      thread = static_cast<pid_t>(::gettid());
      if (bell.wait(ticket, kA, kLong)) ++woken;
    });
  }
  for (const auto& thread : threads) wait_until_it_sleeps(thread);
  bell.ring(kA);
  for (std::thread& sleeper : sleepers) sleeper.join();
  BOOST_TEST(woken == 8);
}

BOOST_AUTO_TEST_CASE(processes_with_the_same_file_hear_each_other) {
  const TempDir directory;
  const std::string path = directory / "bell";
  Witness witness;
  Forked sleeper([&] {
    Doorbell bell(path);
    const auto ticket = bell.ticket();
    witness.say("ready");
    if (!bell.wait(ticket, kA, kLong)) throw std::runtime_error("nobody rang");
  });
  BOOST_TEST(witness.line() == "ready");
  Doorbell bell(path);
  bell.ring(kA);
  BOOST_TEST(sleeper.wait() == 0);
  BOOST_TEST(std::filesystem::file_size(path) == 4096u);
  struct stat status {};
  BOOST_REQUIRE(::stat(path.c_str(), &status) == 0);
  BOOST_TEST((status.st_mode & 07777) == 0600u);
}

BOOST_AUTO_TEST_CASE(a_file_that_is_too_short_is_made_whole) {
  const TempDir directory;
  const std::string path = directory / "bell";
  for (const std::string& content : {std::string(), std::string("\x05\0\0", 3)}) {
    std::ofstream(path) << content;
    Doorbell bell(path);
    const auto ticket = bell.ticket();
    bell.ring(kA);
    BOOST_TEST(bell.ticket() == ticket + 1);
  }
}

BOOST_AUTO_TEST_CASE(the_counter_goes_on_where_it_was) {
  const TempDir directory;
  const std::string path = directory / "bell";
  {
    Doorbell bell(path);
    bell.ring(kA);
    bell.ring(kA);
  }
  BOOST_TEST(Doorbell(path).ticket() == 2u);
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_made_is_an_error_that_names_it) {
  BOOST_CHECK_THROW(Doorbell("/nowhere/bell"), tq::IoError);
}

// A change, a ring, a look: the other side answers in the same way. A ring that is lost leaves both asleep.
BOOST_AUTO_TEST_CASE(no_ring_is_lost_between_processes) {
  constexpr int kRounds = 100'000;
  const TempDir directory;
  const std::string path = directory / "bell";
  struct Counters {
    std::atomic<int> asked;
    std::atomic<int> answered;
  };
  const Shared<Counters> counters;
  const auto wait_for = [](Doorbell& bell, const std::atomic<int>& counter, int value, Topics topic) {
    for (;;) {
      const auto ticket = bell.ticket();
      if (counter.load() >= value) return;
      if (!bell.wait(ticket, topic, kLong) && counter.load() < value) throw std::runtime_error("a ring was lost");
    }
  };
  Forked other([&] {
    Doorbell bell(path);
    for (int i = 1; i <= kRounds; ++i) {
      wait_for(bell, counters->asked, i, kA);
      counters->answered = i;
      bell.ring(kB);
    }
  });
  Doorbell bell(path);
  for (int i = 1; i <= kRounds; ++i) {
    counters->asked = i;
    bell.ring(kA);
    wait_for(bell, counters->answered, i, kB);
  }
  BOOST_TEST(other.wait() == 0);
}

BOOST_AUTO_TEST_CASE(sleepers_that_are_killed_harm_nobody) {
  const TempDir directory;
  const std::string path = directory / "bell";
  const Shared<std::atomic<int>> value;
  const Shared<std::atomic<int>> seen;
  Random random;
  Forked survivor([&] {
    Doorbell bell(path);
    for (int last = 0; last != -1;) {
      const auto ticket = bell.ticket();
      const int now = value->load();
      if (now == last && !bell.wait(ticket, kA, kLong)) throw std::runtime_error("a ring was lost");
      last = now;
      seen->store(now);
    }
  });
  Doorbell bell(path);
  for (int round = 1; round <= 30; ++round) {
    std::vector<std::unique_ptr<Forked>> victims;
    for (int i = 0; i < 3; ++i) {
      victims.push_back(std::make_unique<Forked>([&] {
        Doorbell own(path);
        for (;;) own.wait(own.ticket(), kA);
      }));
    }
    if (random.chance(50)) {
      while (!sleeps_on_futex(victims[0]->pid())) std::this_thread::yield();
    }
    for (auto& victim : victims) victim->kill();
    value->store(round);
    bell.ring(kA);
    while (seen->load() != round) std::this_thread::yield();
  }
  value->store(-1);
  bell.ring(kA);
  BOOST_TEST(survivor.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(loop_bell_thread)

BOOST_AUTO_TEST_CASE(the_owner_is_called_for_a_ring_of_its_topics) {
  Doorbell bell("");
  std::atomic<int> rung = 0;
  BellThread thread(bell, kA, [&] {
    ++rung;
    rung.notify_all();
  });
  for (int i = 0; i < 1000; ++i) {
    const int before = rung.load();
    bell.ring(kA);
    rung.wait(before);
  }
  BOOST_TEST(rung >= 1000);
}

BOOST_AUTO_TEST_CASE(a_ring_before_the_thread_has_begun_is_heard) {
  Doorbell bell("");
  for (int i = 0; i < 200; ++i) {
    std::atomic<bool> rung = false;
    const BellThread thread(bell, kA, [&] {
      rung = true;
      rung.notify_all();
    });
    bell.ring(kA);
    rung.wait(false);
  }
}

BOOST_AUTO_TEST_CASE(a_ring_while_the_owner_is_called_calls_it_again) {
  Doorbell bell("");
  std::atomic<int> rung = 0;
  std::atomic<bool> may_go_on = false;
  const BellThread thread(bell, kA, [&] {
    ++rung;
    rung.notify_all();
    may_go_on.wait(false);
  });
  bell.ring(kA);
  rung.wait(0);
  bell.ring(kA);
  may_go_on = true;
  may_go_on.notify_all();
  rung.wait(1);
  BOOST_TEST(rung >= 2);
}

BOOST_AUTO_TEST_CASE(a_thread_ends_whatever_it_does_and_calls_nobody_after_that) {
  Doorbell bell("");
  std::atomic<bool> done = false;
  std::thread ringer([&] {
    while (!done) bell.ring(kA);
  });
  for (int i = 0; i < 500; ++i) {
    std::atomic<bool> gone = false;
    std::optional<BellThread> thread(std::in_place, bell, kA, [&] { BOOST_REQUIRE(!gone); });
    if (i % 2 == 0) std::this_thread::yield();
    thread.reset();
    gone = true;
  }
  done = true;
  ringer.join();
  // And when it sleeps.
  for (int i = 0; i < 500; ++i) BellThread(bell, kA, [] {});
}

BOOST_AUTO_TEST_CASE(the_end_of_one_wakes_no_other_waiter) {
  Doorbell bell("");
  std::atomic<pid_t> thread = 0;
  std::atomic<bool> rung = false;
  std::optional<bool> woken_by_ring;
  std::thread sleeper([&] {
    const auto ticket = bell.ticket();
    thread = static_cast<pid_t>(::gettid());
    bell.wait(ticket, kTopicAnyQueue | kTopicWorkers | kTopicEvents | kTopicLog | kTopicFinal);
    woken_by_ring = rung.load();
  });
  wait_until_it_sleeps(thread);
  for (int i = 0; i < 100; ++i) BellThread(bell, kA, [] {});
  rung = true;
  bell.ring(kA);
  sleeper.join();
  BOOST_TEST(woken_by_ring.value());
}

BOOST_AUTO_TEST_CASE(a_thread_takes_no_signal_of_the_host_s) {
  // Blocked in this thread, a signal to the process stays pending unless another thread takes it.
  sigset_t wanted;
  sigset_t before;
  ::sigemptyset(&wanted);
  ::sigaddset(&wanted, SIGUSR1);
  Doorbell bell("");
  std::atomic<bool> runs = false;
  const BellThread thread(bell, kA, [&] {
    runs = true;
    runs.notify_all();
  });
  bell.ring(kA);
  runs.wait(false);
  ::pthread_sigmask(SIG_BLOCK, &wanted, &before);
  ::kill(::getpid(), SIGUSR1);  // deadly, if it is delivered
  int signal = 0;
  BOOST_TEST(::sigwait(&wanted, &signal) == 0);
  BOOST_TEST(signal == SIGUSR1);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
