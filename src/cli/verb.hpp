// One thing that `tq` does: `add`, `queue pause`. A file of this folder each.
#pragma once

#include "cli/parameters.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace tq::cli {

class Session;

// Made, declared, parsed into and run once.
class Verb {
 public:
  virtual ~Verb() = default;
  Verb() = default;
  Verb(const Verb&) = delete;
  Verb& operator=(const Verb&) = delete;

  // Says what it takes. The parameters refer to this object.
  virtual void declare(Parameters& parameters) = 0;
  // Does it and returns the exit code. Failures are thrown.
  virtual int run(Session& session) = 0;
  // Whether the exit code is a job's own, so that a failure of tq itself has to be told apart from it.
  virtual bool ends_as_job() const { return false; }
};

enum class Group { adding, looking, steering, running, upkeep };

struct VerbEntry {
  std::string_view name;  // "add", "queue pause"
  Group group;
  std::string_view summary;
  std::string_view details;  // of the help; may be empty
  std::string_view example;  // lines
  std::unique_ptr<Verb> (*make)();
};

// All of them, in the order of the help.
const std::vector<VerbEntry>& verbs();

}  // namespace tq::cli
