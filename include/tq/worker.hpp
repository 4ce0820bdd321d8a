// tq::Worker: claims jobs of a store and runs them, until it is told to stop.
#pragma once

#include <tq/context.hpp>
#include <tq/task_queue.hpp>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tq {

struct WorkerOptions {
  std::vector<std::string> queues;                     // in the order in which they are looked at; empty: all, by name
  std::uint32_t concurrency = 1;                       // attempts at a time, 1 to 1,024
  Duration shutdown_grace = std::chrono::seconds{25};  // what a stop allows running attempts before it interrupts them
  Duration kill_grace = std::chrono::seconds{5};       // between TERM and KILL for a command
  std::uint32_t max_crashes = 3;                       // a job that was there at so many deaths of its worker is failed
  bool commands = false;                               // run `exec` jobs
  bool fail_unknown_tasks = false;  // a job of its queues whose task has no handler here is failed; else it is left
  bool drain = false;               // return from run() when nothing is left that could be done now
  bool once = false;                // run one job at most, then return
  // The process belongs to the worker: it may adopt and kill orphans of its commands (prctl PR_SET_CHILD_SUBREAPER).
  // Leave it off in a program that has child processes of its own.
  bool own_process = false;
};

// A function that runs jobs of one task: gets the payload as stored, returns the result's bytes. What it throws (a Verdict,
// or any exception) is a failed attempt. Called on a thread of the worker's pool, up to `concurrency` at once.
using Handler = std::function<Payload(const Payload&, Context&)>;

// Claims jobs and runs them: handlers on a pool of threads, commands as child processes of a small guard process that
// kills whatever they started when they time out, are cancelled, or this process dies.
//
// One thread at a time, but for stop(), which any thread may call (not a signal handler). The TaskQueue must outlive the
// worker. Installs no signal handler and reaps no child but its guard.
class Worker {
 public:
  // Throws InvalidArgument for options that make no sense. Nothing is started yet.
  explicit Worker(TaskQueue& queue, WorkerOptions options = {});
  // Stops as stop(true) does, and waits.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Registers the handler of a task. Before run() or start(). Throws Conflict if the task has one already.
  void handle(std::string_view task, Handler handler);
  // The same for a typed task: `function` is called with `const Job&` or `(const Job&, Context&)` and returns void, a
  // std::string, a Payload or a type with a cereal `serialize`. Needs <tq/typed.hpp>.
  template <class Job, class Function>
  void handle(Function function);

  // Runs jobs on this thread until stop() (or, with `drain` or `once`, until there is nothing to do) and returns how many
  // attempts it ran. Throws StoreError when the store fails: no attempt is running any more then.
  std::uint64_t run();
  // The same on a thread of its own. What run() would throw is thrown by join().
  void start();
  // Waits for the end of what start() started and returns what run() returns. Does nothing if it never was.
  std::uint64_t join();

  // Claims nothing more and lets run() return when what runs has ended; what still runs after the grace is interrupted and
  // queued again, which costs it no attempt. With `now`, interrupts at once. Returns immediately; may be called again.
  void stop(bool now = false);

  // The number under which it is registered while it runs; 0 otherwise. Any thread.
  WorkerId id() const;

  class Impl;

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace tq
