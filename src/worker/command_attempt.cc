#include "worker/command_attempt.hpp"

#include "base/fail.hpp"
#include "engine/query.hpp"
#include "model/draft.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fmt/core.h>
#include <sys/mman.h>
#include <unistd.h>

namespace tq::worker {
namespace {

Command command_of(TaskQueue::Impl& queue, const engine::Claimed& claimed) {
  // Small ones came with the claim; the codec was checked when the job was made, and its name is in the cold part.
  auto payload = claimed.record.header.has(model::kPayloadIsBlob)
                     ? engine::payload(queue.environment->read(), claimed.id).value_or(Payload{})
                     : Payload{model::decode_details(claimed.record.header, claimed.record.details).payload_codec,
                               claimed.record.payload};
  return model::decode_command(payload);
}

// A descriptor from which the bytes can be read.
base::Fd input_of(const std::string& bytes) {
  if (bytes.empty()) return {};
  base::Fd memory(::memfd_create("tq-stdin", MFD_CLOEXEC));
  if (!memory) base::throw_system("cannot make a file in memory for a command's standard input", errno);
  base::write_all(memory.get(), bytes, "standard input of a command");
  if (::lseek(memory.get(), 0, SEEK_SET) != 0) base::throw_system("cannot rewind a file in memory", errno);
  return memory;
}

loop::ChildSpec spec_of(TaskQueue::Impl& queue, const engine::Claimed& claimed) {
  Command command = command_of(queue, claimed);
  loop::ChildSpec spec;
  spec.input = input_of(command.stdin_data);
  spec.argv = std::move(command.argv);
  spec.cwd = std::move(command.cwd);
  spec.env = std::move(command.env);
  spec.env.emplace_back("TQ_JOB_ID", std::to_string(claimed.id));
  spec.env.emplace_back("TQ_ATTEMPT", std::to_string(claimed.record.header.attempt));
  spec.env.emplace_back("TQ_QUEUE", claimed.queue);
  spec.env.emplace_back("TQ_FILE", queue.environment->path().string());
  return spec;
}

std::string describe(const loop::ChildExit& exit) {
  switch (exit.kind) {
    case loop::ChildExit::Kind::exited:
      return fmt::format("exit status {}", exit.code);
    case loop::ChildExit::Kind::signalled: {
      const char* name = ::sigabbrev_np(exit.code);
      return name != nullptr ? fmt::format("killed by SIG{}", name) : fmt::format("killed by signal {}", exit.code);
    }
    default:
      return exit.error;
  }
}

}  // namespace

CommandAttempt::CommandAttempt(loop::EventLoop& loop, engine::Claimed claimed, WorkerId worker,
                               std::uint64_t log_limit_bytes, loop::Guard& guard, TaskQueue::Impl& queue)
    : Attempt(loop, std::move(claimed), worker, log_limit_bytes),
      guard_(guard),
      queue_(queue),
      failed_start_(loop, [this] { end(std::move(start_failure_)); }) {}

CommandAttempt::~CommandAttempt() { queue_.begun().unmark(key().worker, key().job); }

std::chrono::microseconds CommandAttempt::ran_for() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - began_steady_);
}

void CommandAttempt::start() {
  began_ = queue_.clock->now();
  began_steady_ = std::chrono::steady_clock::now();
  queue_.begun().mark(key().worker, key().job);
  start_timeout();
  loop::ChildSpec spec;
  try {
    spec = spec_of(queue_, claimed());
  } catch (const Error& error) {
    start_failure_ = {.kind = engine::Outcome::Kind::failed, .error = error.what(), .for_good = true};
    failed_start_.start(Duration::zero());
    return;
  }
  child_ = guard_.spawn(
      std::move(spec), [this](Stream stream, std::string_view bytes) { add_output(stream, bytes); },
      [this](const loop::ChildExit& exit) { ended(exit); });
}

void CommandAttempt::ask_to_stop(int signal) {
  if (child_ != 0) guard_.signal(child_, signal);
}

void CommandAttempt::force() {
  if (child_ != 0) guard_.signal(child_, SIGKILL);
}

void CommandAttempt::ended(const loop::ChildExit& exit) {
  end(in_memory([&] { return outcome_of(exit); }), exit.kind == loop::ChildExit::Kind::lost);
}

engine::Outcome CommandAttempt::outcome_of(const loop::ChildExit& exit) const {
  using Kind = engine::Outcome::Kind;
  if (exit.kind == loop::ChildExit::Kind::lost) return {.kind = Kind::failed, .error = exit.error};
  engine::Outcome outcome;
  outcome.exit_code = exit.exit_code();
  const bool went_well = exit.kind == loop::ChildExit::Kind::exited && exit.code == 0;
  // A command that ends with 0 because it was told to stop has not done its work.
  if (!went_well || stop_reason() != Stop::none) {
    outcome.kind = Kind::failed;
    outcome.error = describe(exit);
  }
  return outcome;
}

}  // namespace tq::worker
