// What the processes of a measurement share: the starting line, the clock, and every job that was run.
#pragma once

#include "disk.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <pthread.h>
#include <semaphore.h>
#include <span>
#include <sys/mman.h>

namespace bench {

inline std::int64_t now_ns() {
  timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

// In memory that is shared with children. Thread-safe.
class Board {
 public:
  // `runners` start together; at most `capacity` entries are kept.
  static Board& make(unsigned runners, std::size_t capacity) {
    void* memory = ::mmap(nullptr, sizeof(Board) + capacity * sizeof(std::uint64_t), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
      std::perror("mmap");
      std::exit(1);
    }
    return *new (memory) Board(runners, capacity);
  }

  void start(const std::string& disk) {
    if (pthread_barrier_wait(&barrier_) == PTHREAD_BARRIER_SERIAL_THREAD) {
      disk_start_ = disk_of(disk);
      start_ns_ = now_ns();
    }
    pthread_barrier_wait(&barrier_);
  }
  void finish(const std::string& disk) {
    if (--running_ > 0) return;
    end_ns_ = now_ns();
    disk_end_ = disk_of(disk);
  }

  std::int64_t start_ns() const { return start_ns_; }
  double seconds() const { return static_cast<double>(end_ns_ - start_ns_) / 1e9; }
  Disk written() const { return {disk_end_.flushes - disk_start_.flushes, disk_end_.bytes - disk_start_.bytes}; }

  // Returns how many there are with this one; one too many is not kept.
  std::uint64_t add(std::uint64_t entry) {
    const std::uint64_t place = size_++;
    if (place < capacity_) entries()[place] = entry;
    return place + 1;
  }
  std::uint64_t size() const { return size_; }
  std::span<std::uint64_t> kept() { return {entries(), std::min<std::size_t>(size_, capacity_)}; }

  std::atomic<std::uint64_t> added{0};
  std::atomic<std::uint64_t> unfinished{0};
  std::atomic<std::int64_t> sent_ns{0};
  std::atomic<std::uint64_t> resident_kb{0}, anonymous_kb{0};  // of the largest worker
  sem_t begun;

 private:
  Board(unsigned runners, std::size_t capacity) : capacity_(capacity), running_(runners) {
    pthread_barrierattr_t shared;
    pthread_barrierattr_init(&shared);
    pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&barrier_, &shared, runners);
    sem_init(&begun, 1, 0);
  }
  std::uint64_t* entries() { return reinterpret_cast<std::uint64_t*>(this + 1); }

  const std::size_t capacity_;
  pthread_barrier_t barrier_;
  std::atomic<unsigned> running_;
  std::int64_t start_ns_ = 0, end_ns_ = 0;
  Disk disk_start_, disk_end_;
  std::atomic<std::uint64_t> size_{0};
};

}  // namespace bench
