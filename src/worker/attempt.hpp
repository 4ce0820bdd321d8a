// An attempt in hand, whatever runs it: what was claimed, why it is being stopped if it is, and its output.
#pragma once

#include "engine/claim.hpp"
#include "engine/finish.hpp"
#include "loop/timer.hpp"
#include "worker/output_buffer.hpp"

#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>

namespace tq::worker {

// How an attempt reports to its owner. Loop thread only.
struct AttemptEvents {
  // It has ended by itself or because it was stopped. The owner destroys it in there.
  std::function<void(engine::Outcome, bool crashed)> ended;
  // There is output or progress to be taken.
  std::function<void()> has_news;
};

// Loop thread only.
class Attempt {
 public:
  enum class Stop { none, timeout, cancel, shutdown };

  Attempt(loop::EventLoop& loop, engine::Claimed claimed, WorkerId worker, std::uint64_t log_limit_bytes);
  virtual ~Attempt() = default;
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  const engine::Claimed& claimed() const { return claimed_; }
  engine::RunKey key() const { return key_; }
  Stop stop_reason() const { return stop_; }

  // Starts running, or waits for its turn to begin; a time-out counts from there. `kill_grace` is what a stop allows before it is enforced.
  void begin(AttemptEvents events, Duration kill_grace);
  // Asks it to stop, first politely (for a command: with `signal`), then after the grace by force. The first reason counts; a
  // second call does nothing.
  void stop(Stop reason, int signal = 15);

  // True if it has not begun, and now never will.
  virtual bool withdraw() { return false; }
  // When it began, and how long it ran, if it did.
  virtual std::optional<Time> began() const = 0;
  virtual std::chrono::microseconds ran_for() const = 0;
  // When it began, if it had been claimed ahead; once.
  std::optional<Time> take_begin();

  OutputBuffer& output() { return output_; }
  // Progress since the last call, if any.
  std::optional<ProgressPart> take_progress();

 protected:
  virtual void start() = 0;
  virtual void ask_to_stop(int signal) = 0;
  // Must lead to end() soon.
  virtual void force() = 0;

  // What `make` returns; if memory is short for that, the job is to be done again.
  template <class Make>
  static engine::Outcome in_memory(Make make) {
    try {
      return make();
    } catch (const std::bad_alloc&) {
      return {.kind = engine::Outcome::Kind::interrupted, .error = "out of memory"};  // so short that it takes none
    }
  }

  // It begins now.
  void start_timeout();
  void end(engine::Outcome outcome, bool crashed = false);
  void add_output(Stream stream, std::string_view bytes);
  void set_progress(double fraction, std::string text);
  Duration kill_grace() const { return kill_grace_; }
  // The sections of its record, which the attempt itself does not need.
  model::JobRecord& record() { return claimed_.record; }

 private:
  engine::Outcome judge(engine::Outcome outcome) const;

  engine::Claimed claimed_;
  const engine::RunKey key_;
  AttemptEvents events_;
  Duration kill_grace_{0};
  bool begin_is_taken_ = false;
  Stop stop_ = Stop::none;
  OutputBuffer output_;
  std::optional<ProgressPart> progress_;
  loop::EventLoop& loop_;
  std::optional<loop::Timer> timeout_;  // as soon as they are needed: mostly never
  std::optional<loop::Timer> force_;
};

}  // namespace tq::worker
