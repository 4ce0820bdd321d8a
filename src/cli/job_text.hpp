// Jobs in words, for people.
#pragma once

#include "cli/terminal.hpp"

#include <tq/task_queue.hpp>

#include <string>
#include <string_view>

namespace tq::cli {

// A command as one would type it into a shell.
std::string command_line(const std::vector<std::string>& argv);
// What a job does: its command line, or its task.
std::string describe(const TaskQueue& store, const JobInfo& job);
// The command of an `exec` job; nothing for any other.
std::optional<Command> command_of(const TaskQueue& store, const JobInfo& job);

// "3s", "12m", "5h", "3d": one unit, rounded down; "-3s" for what is still to come.
std::string short_duration(Duration duration);
// "1.2s", "12m5s": how long something took.
std::string took(Duration duration);
// "2026-01-31 12:00:00", local time.
std::string local_time(Time time);
// "1.2 MB"
std::string byte_count(std::uint64_t bytes);
// "1 job", "3 jobs"
std::string count_of(std::uint64_t count, std::string_view noun);

Colour colour_of(State state);
// "failed: exit status 3": how a job ended, in a few words.
std::string ending(const Result& result);

}  // namespace tq::cli
