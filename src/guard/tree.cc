#include "guard/tree.hpp"

#include "guard/processes.hpp"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

namespace tq::guard {
namespace {

struct Seen : Process {
  bool is_mine;  // a descendant
};

// The processes of the machine at one look, by number. Kept from look to look.
Seen* seen = nullptr;
int seen_count = 0;
int seen_capacity = 0;

void add(const Process& process) {
  if (seen_count == seen_capacity) {
    const int capacity = seen_capacity * 2 + 256;
    void* larger = realloc(seen, static_cast<size_t>(capacity) * sizeof(Seen));
    if (larger == nullptr) return;  // the next look may have better luck
    seen = static_cast<Seen*>(larger);
    seen_capacity = capacity;
  }
  static_cast<Process&>(seen[seen_count]) = process;
  seen[seen_count++].is_mine = false;
}

const Seen* find(pid_t pid) {
  const auto order = [](const void* key, const void* element) {
    const pid_t left = *static_cast<const pid_t*>(key);
    const pid_t right = static_cast<const Seen*>(element)->pid;
    return left < right ? -1 : left > right;
  };
  return static_cast<const Seen*>(bsearch(&pid, seen, static_cast<size_t>(seen_count), sizeof(Seen), order));
}

// Looks, and marks the descendants of this process.
void look() {
  const pid_t self = getpid();
  seen_count = 0;
  each_pid([](pid_t pid) {
    Process process;
    if (read_process(pid, process)) add(process);
  });
  // Nearly always a parent has the smaller number, and one round finds all.
  for (bool grown = true; grown;) {
    grown = false;
    for (int i = 0; i < seen_count; ++i) {
      if (seen[i].is_mine) continue;
      const Seen* parent = seen[i].parent == self ? nullptr : find(seen[i].parent);
      seen[i].is_mine = seen[i].parent == self || (parent != nullptr && parent->is_mine);
      grown = grown || seen[i].is_mine;
    }
  }
}

bool was_signalled_before(int index) {
  for (int i = 0; i < index; ++i) {
    if (seen[i].is_mine && seen[i].group == seen[index].group) return true;
  }
  return false;
}

}  // namespace

int signal_descendants(int signal) {
  look();
  const pid_t own_group = getpgrp();
  int count = 0;
  for (int i = 0; i < seen_count; ++i) {
    if (!seen[i].is_mine) continue;
    // A command begins with a session of its own, so a group other than ours holds none but its processes. (0 and 1 are no
    // group of theirs, and mean others to kill.)
    if (seen[i].group == own_group || seen[i].group <= 1) {
      if (kill(seen[i].pid, signal) == 0) ++count;
    } else if (!was_signalled_before(i)) {
      if (kill(-seen[i].group, signal) == 0) ++count;
    }
  }
  return count;
}

void kill_descendants() {
  sigset_t child_ended;
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  constexpr long kFirstWait = 10'000'000;
  constexpr long kLongestWait = 640'000'000;
  long wait_ns = kFirstWait;
  for (;;) {
    const pid_t ended = waitpid(-1, nullptr, WNOHANG);
    if (ended < 0) return;  // there is no child, dead or alive
    if (ended > 0) continue;
    // What was missed by a look, because it forked, is there at the next.
    signal_descendants(SIGKILL);
    const timespec wait{0, wait_ns};
    if (sigtimedwait(&child_ended, nullptr, &wait) == SIGCHLD) {
      wait_ns = kFirstWait;
    } else if (wait_ns < kLongestWait) {
      wait_ns *= 2;  // whatever is left may not be killed, or is stuck in the kernel
    }
  }
}

}  // namespace tq::guard
