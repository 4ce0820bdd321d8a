#include "base/fail.hpp"
#include "cli/follow.hpp"
#include "cli/ids.hpp"
#include "cli/job_text.hpp"
#include "cli/verbs.hpp"

#include <algorithm>

namespace tq::cli {
namespace {

// Drops what is before the last `lines` lines; a last one without an end counts.
void keep_last_lines(std::vector<LogChunk>& chunks, std::uint64_t lines) {
  std::uint64_t ends = 0;
  bool is_last_byte = true;
  for (std::size_t i = chunks.size(); i-- > 0;) {
    std::string& bytes = chunks[i].bytes;
    for (std::size_t j = bytes.size(); j-- > 0; is_last_byte = false) {
      const bool is_end_of_earlier_line = bytes[j] == '\n' && !is_last_byte;
      ends += is_end_of_earlier_line ? 1u : 0u;
      if (!(is_end_of_earlier_line && ends == lines) && lines != 0) continue;
      bytes.erase(0, j + 1);
      chunks.erase(chunks.begin(), chunks.begin() + static_cast<std::ptrdiff_t>(i));
      return;
    }
  }
}

class Log : public Verb {
 public:
  void declare(Parameters& parameters) override {
    parameters.flag("-f,--follow", follows_, "go on as it comes, through retries, and exit with the job's code");
    parameters.option("-n,--lines", "N", lines_, "only the last lines");
    parameters.option("--attempt", "K", view_.attempt, "only of this attempt");
    parameters.flag("--stderr", view_.only_stderr, "only what it wrote to its standard error");
    ids_.declare(parameters);
  }

  int run(Session& session) override {
    if (follows_ && !ids_.only()) base::fail<InvalidArgument>("-f follows one job: give one ID");
    const TaskQueue& store = session.store();
    if (follows_) return follow_one(session, store, *ids_.only());
    const auto ids = ids_.in(store);
    return for_each_job(ids, [&](JobId id) {
      if (ids.size() > 1 && !session.json()) session.out().line(fmt::format("==> job {} <==", id));
      show_all(session, store, id);
    });
  }

  bool ends_as_job() const override { return follows_ && ids_.only(); }

 private:
  int follow_one(Session& session, const TaskQueue& store, JobId id) {
    const std::uint64_t after = lines_ ? show_last(session, store, id) : 0;
    return report(session, id, follow(session, store, id, view_, after));
  }

  void show_all(Session& session, const TaskQueue& store, JobId id) {
    if (lines_) {
      show_last(session, store, id);
    } else {
      for (auto chunks = store.log(id); !chunks.empty(); chunks = store.log(id, chunks.back().seq)) {
        for (const LogChunk& chunk : chunks) show(session, id, chunk, view_);
      }
    }
    const auto job = store.get(id);
    if (!job || job->log_dropped_bytes == 0) return;
    session.words(
        fmt::format("tq: {} from the middle of the output were not kept", byte_count(job->log_dropped_bytes)));
  }

  // Returns up to which number there was output.
  std::uint64_t show_last(Session& session, const TaskQueue& store, JobId id) {
    std::vector<LogChunk> kept;
    std::uint64_t after = 0;
    for (auto chunks = store.log(id); !chunks.empty(); chunks = store.log(id, after)) {
      after = chunks.back().seq;
      for (LogChunk& chunk : chunks) {
        if (is_wanted(chunk, view_)) kept.push_back(std::move(chunk));
      }
    }
    keep_last_lines(kept, *lines_);
    for (const LogChunk& chunk : kept) show(session, id, chunk, view_);
    return after;
  }

  Ids ids_;
  LogView view_;
  bool follows_ = false;
  std::optional<std::uint64_t> lines_;
};

}  // namespace

std::unique_ptr<Verb> make_log() { return std::make_unique<Log>(); }

}  // namespace tq::cli
