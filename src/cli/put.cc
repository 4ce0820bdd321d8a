#include "base/fail.hpp"
#include "base/fd.hpp"
#include "cli/batch.hpp"
#include "cli/json_text.hpp"
#include "cli/verbs.hpp"
#include "cli/waiting.hpp"

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace tq::cli {
namespace {

class Put : public Verb {
 public:
  void declare(Parameters& parameters) override {
    options_.declare(parameters);
    parameters.flag("--raw", raw_, "the payload is bytes, not JSON");
    parameters.option("--batch", "FILE", batch_, "a job for each line of this file; - for the standard input",
                      Offer::files);
    parameters.flag("--continue", continue_, "skip bad lines of a batch and report them at the end");
    waiting_.declare(parameters);
    parameters.positional({"TASK", Offer::nothing, false, false, [this](const std::string& text) { task_ = text; }});
    parameters.positional({"JSON", Offer::nothing, false, false, [this](const std::string& text) { payload_ = text; }});
  }

  int run(Session& session) override {
    if (batch_) return put_batch(session);
    if (continue_) base::fail<InvalidArgument>("--continue is for --batch");
    if (!task_) base::fail<InvalidArgument>("TASK is missing: tq put TASK [JSON]");
    Payload payload = read_payload();
    TaskQueue& store = session.store_to_write();
    const JobId id = store.enqueue(*task_, std::move(payload), options_.values());
    print_id(session, id);
    return waiting_.wait(session, store, id);
  }

  bool ends_as_job() const override { return waiting_.has_begun(); }

 private:
  int put_batch(Session& session) {
    if (payload_) base::fail<InvalidArgument>("--batch takes its payloads from its lines, not from '{}'", *payload_);
    if (raw_) base::fail<InvalidArgument>("--batch takes bytes as \"payload_base64\", not with --raw");
    if (waiting_.is_wanted()) base::fail<InvalidArgument>("--batch does not wait: use tq wait with the ids it prints");
    base::Fd file;
    if (*batch_ != "-") {
      file = base::Fd(::open(batch_->c_str(), O_RDONLY | O_CLOEXEC));
      if (!file) base::fail<InvalidArgument>("--batch: cannot open '{}': {}", *batch_, base::system_reason(errno));
    }
    Lines lines(file ? file.get() : STDIN_FILENO, file ? fmt::format("'{}'", *batch_) : "the standard input");
    return Batch(session, session.store_to_write(), options_, task_.value_or(""), continue_).run(lines);
  }

  Payload read_payload() const {
    if (!payload_) return {};
    const bool is_file = payload_->starts_with('@');
    std::string bytes = *payload_ == "-" ? read_input("-") : is_file ? read_input(payload_->substr(1)) : *payload_;
    if (raw_) return {"raw", std::move(bytes)};
    try {
      check_json(bytes);
    } catch (const InvalidArgument& error) {
      base::fail<InvalidArgument>("the payload is refused: {} (--raw takes bytes as they are)", error.what());
    }
    return {"json", std::move(bytes)};
  }

  JobOptions options_;
  Waiting waiting_;
  std::optional<std::string> task_;
  std::optional<std::string> payload_;
  std::optional<std::string> batch_;
  bool raw_ = false;
  bool continue_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_put() { return std::make_unique<Put>(); }

}  // namespace tq::cli
