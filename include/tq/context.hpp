// tq::Context: what a handler knows about the attempt it runs, and what it may say about its outcome.
#pragma once

#include <tq/types.hpp>

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace tq {

// How an attempt ends when its handler throws one of the four below instead of an ordinary exception. An ordinary
// exception is a failed attempt that is retried by the job's policy.
class Verdict {
 public:
  enum class Kind { fail, retry, snooze, cancel };

  // Failed for good, whatever retries are left.
  static Verdict fail(std::string reason) { return {Kind::fail, std::move(reason), {}}; }
  // Failed; the next attempt, if one is left, starts after `delay` instead of the policy's.
  static Verdict retry(std::string reason, Duration delay) { return {Kind::retry, std::move(reason), delay}; }
  // Not now: comes again after `delay`; no attempt is used.
  static Verdict snooze(Duration delay) { return {Kind::snooze, {}, delay}; }
  // The job is to be cancelled.
  static Verdict cancel(std::string reason) { return {Kind::cancel, std::move(reason), {}}; }

  Kind kind;
  std::string reason;
  Duration delay{0};
};

// Handed to a handler for the time of one attempt. Thread-safe, so that a handler may use threads of its own; must not be
// used after the handler has returned.
class Context {
 public:
  class Impl;
  explicit Context(Impl& impl) : impl_(&impl) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  JobId id() const;
  std::uint32_t attempt() const;  // 1 for the first
  const std::string& queue() const;
  const std::string& task() const;

  // Set when the job is cancelled, its time-out passes, or the worker has to stop. A handler that then returns or throws
  // soon is well-behaved; in the thread pool nobody can kill it.
  std::stop_token stop_token() const;
  // When the time-out passes; nothing if there is none.
  std::optional<Time> deadline() const;

  // Says how far the attempt is (0 to 1). Seen by others within about 100 ms; the last one wins.
  void progress(double fraction, std::string_view text = {});
  // Adds a line to the job's output. Seen by others within about 100 ms.
  void log(std::string_view text);
  // Keeps bytes for the next attempt, should this one not succeed. Blocks until they are durable.
  // Throws InvalidArgument if there are too many, Conflict if the attempt has been taken away.
  void save(std::string bytes);
  // What an earlier attempt saved, or nothing.
  std::optional<std::string> saved() const;

  // Adds a job in the same transaction that records this attempt's success: if the attempt fails or the worker dies, it
  // was never added. Throws InvalidArgument at once.
  void enqueue(std::string_view task, Payload payload, const EnqueueOptions& options = {});
  void enqueue(const Command& command, const EnqueueOptions& options = {});
  template <class Job>
    requires requires { Job::kTask; }
  void enqueue(const Job& job, const EnqueueOptions& options = {});

 private:
  Impl* impl_;
};

}  // namespace tq
