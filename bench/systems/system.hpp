// What a driver measures: a queue, as a program sees it that uses it. Each driver is driver.cc with one of these.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// The command line of every driver: DRIVER MEASURE [--NAME VALUE]... PATH
struct Options {
  std::string measure;           // fill, enqueue, process, latency
  std::string path;              // the store, or HOST:PORT of its server
  std::string mode;              // how durable, as the system calls it
  std::string disk;              // a path on the device whose writes are counted; else `path`
  std::uint64_t count = 1000;    // jobs at most; of `process`: that are added before
  double seconds = 1e9;          // of `enqueue`: ends after so long
  std::size_t batch = 1;         // jobs a transaction
  std::size_t threads = 1;       // producers, in each process
  std::size_t processes = 1;     // of producers or workers
  std::size_t slots = 1;         // attempts at a time, in each worker
  std::size_t result_bytes = 0;  // that a handler returns
};

// The jobs that workers run. Thread-safe; shared by all worker processes.
class Work {
 public:
  virtual ~Work() = default;
  // A handler begins with this payload. True if that was the last one: the worker is to stop.
  virtual bool begin(std::string_view payload) = 0;
  virtual bool enough() const = 0;
  // Whether a worker that finds nothing waits for more; else it ends.
  virtual bool waits() const = 0;
};

// One thread's way to the queue. Each call returns when what it did is as durable as the mode promises.
class Client {
 public:
  virtual ~Client() = default;
  virtual void enqueue(std::span<const std::string> payloads) = 0;
  // Completes what the call before returned, and takes up to `limit` jobs more. If there are none it may wait, at most
  // a second, if that is wanted. What has a worker of its own, or none, leaves this out.
  virtual std::vector<std::string> next(std::size_t limit, bool wait);
};

// The queue, opened by one process, which creates it if there is none. Thread-safe.
class System {
 public:
  virtual ~System() = default;
  virtual std::unique_ptr<Client> client() = 0;
  // Jobs that have been added and not been completed.
  virtual std::uint64_t unfinished() = 0;
  // Runs jobs, a client for each slot, until there are enough, or none.
  virtual void work(Work& work, const Options& options);
};

// Each driver defines this.
std::unique_ptr<System> open_system(const Options& options);

}  // namespace bench
