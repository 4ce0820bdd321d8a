// The options that `add`, `put` and `run` share, and what a command takes with it from here.
#pragma once

#include "cli/parameters.hpp"

#include <tq/types.hpp>

#include <string>
#include <vector>

namespace tq::cli {

// How a job is to be run.
class JobOptions {
 public:
  void declare(Parameters& parameters);
  // Sets what an option of that long name, with underscores for dashes ("result_ttl"), would set; false if there is none.
  // Throws InvalidArgument without the name.
  bool set(std::string_view key, const std::string& text);
  const EnqueueOptions& values() const { return values_; }
  // All that set() knows.
  static std::vector<std::string_view> keys();

 private:
  EnqueueOptions values_;
};

// The command's own surroundings: directory, environment, standard input.
class CommandOptions {
 public:
  void declare(Parameters& parameters);
  // The command that is to be queued. Reads what --stdin names. Throws InvalidArgument, IoError.
  Command command() const;

 private:
  std::vector<std::pair<std::string, std::string>> environment() const;
  std::string directory() const;

  std::vector<std::string> argv_;
  std::vector<std::string> env_;  // NAME or NAME=VALUE
  bool env_all_ = false;
  std::optional<std::string> cwd_;
  std::optional<std::string> stdin_;
};

// The whole of a file, or of the standard input for "-". Throws InvalidArgument if it is over kMaxBlobBytes, IoError.
std::string read_input(const std::string& name);

}  // namespace tq::cli
