#include "cli/follow.hpp"

#include "base/fail.hpp"
#include "cli/job_text.hpp"
#include "cli/json_values.hpp"

#include <unistd.h>

namespace tq::cli {
namespace {

// Nobody may be listening there; the output goes on all the same.
void write_to_stderr(std::string_view bytes) {
  try {
    Output err(STDERR_FILENO);
    err.write(bytes);
    err.flush();
  } catch (const OutputClosed&) {
  } catch (const IoError&) {
  }
}

// Shows what is there after `after` and moves it on.
void show_new(Session& session, const TaskQueue& store, JobId id, const LogView& view, std::uint64_t& after) {
  for (;;) {
    const auto chunks = store.log(id, after);
    if (chunks.empty()) break;
    for (const LogChunk& chunk : chunks) show(session, id, chunk, view);
    after = chunks.back().seq;
  }
  session.out().flush();
}

}  // namespace

bool is_wanted(const LogChunk& chunk, const LogView& view) {
  if (view.attempt && chunk.attempt != *view.attempt) return false;
  return !view.only_stderr || chunk.stream == Stream::err;
}

void show(Session& session, JobId id, const LogChunk& chunk, const LogView& view) {
  if (!is_wanted(chunk, view)) return;
  if (session.json()) {
    session.out().line(to_json(id, chunk).text());
  } else if (view.is_split && chunk.stream != Stream::out) {
    session.out().flush();  // in the order in which they came
    write_to_stderr(chunk.bytes);
  } else {
    session.out().write(chunk.bytes);
  }
}

Result follow(Session& session, const TaskQueue& store, JobId id, const LogView& view, std::uint64_t after,
              const std::function<void()>& look) {
  for (;;) {
    // First the end, then the output: so nothing that came before it is missed.
    const auto result = store.result(id);
    show_new(session, store, id, view, after);
    if (result) return *result;
    if (look) {
      look();
      store.wait_log(id, after, std::chrono::seconds{1});
    } else {
      store.wait_log(id, after);
    }
  }
}

int report(Session& session, JobId id, const Result& result) {
  if (session.json()) {
    session.out().line(to_json(id, result).text());
  } else if (result.state != State::succeeded && !result.error.starts_with("exit status")) {
    session.words(fmt::format("tq: job {} {}", id, printable(ending(result))));
  }
  return exit_code_of(result);
}

}  // namespace tq::cli
