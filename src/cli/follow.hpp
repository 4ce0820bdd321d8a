// A job's output as it comes, and its end.
#pragma once

#include "cli/session.hpp"

#include <cstdint>
#include <functional>
#include <optional>

namespace tq::cli {

// Which output is shown, and where.
struct LogView {
  std::optional<std::uint32_t> attempt;  // of this one only
  bool only_stderr = false;
  bool is_split = false;  // what the job wrote to its stderr goes to ours; else everything goes to stdout
};

bool is_wanted(const LogChunk& chunk, const LogView& view);
void show(Session& session, JobId id, const LogChunk& chunk, const LogView& view);

// Shows all output after number `after` until the job is final, sleeping in between, and returns how it ended. If given,
// `look` is called about once a second while it waits. Throws NotFound if there is no such job.
Result follow(Session& session, const TaskQueue& store, JobId id, const LogView& view, std::uint64_t after,
              const std::function<void()>& look = {});

// Says how the one job that was waited for ended, as far as its exit code does not; returns that code.
int report(Session& session, JobId id, const Result& result);

}  // namespace tq::cli
