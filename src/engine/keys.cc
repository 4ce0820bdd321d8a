#include "engine/keys.hpp"

namespace tq::engine {

ReadyKey ready_key(JobId job, const model::JobHeader& header) {
  return {header.queue, header.task, ~header.priority, header.due_ms, job};
}

std::int64_t waiting_since(const model::JobHeader& header) {
  return header.started_ms != 0 ? header.started_ms : header.enqueued_ms;
}

bool may_expire(const model::JobHeader& header) {
  const bool waits_for_its_first_start =
      header.started_ms == 0 && header.state != State::running && !is_final(header.state);
  return header.expires_ms != 0 && waits_for_its_first_start;
}

IndexKeys::IndexKeys(JobId job, const model::JobHeader& header) {
  switch (header.state) {
    case State::ready:
      add(ready_key(job, header));
      break;
    case State::scheduled:
    case State::retrying:
      add(DueKey{header.due_ms, job});
      if (header.has(model::kSpan)) add(SpanKey{waiting_since(header), job});
      break;
    case State::running:
      add(ActiveKey{header.worker, job});
      break;
    case State::succeeded:
    case State::failed:
    case State::cancelled:
    case State::expired:
      add(FinalKey{static_cast<std::uint8_t>(header.state), header.finished_ms, job});
      add(KeepKey{header.keep_until_ms, job});
      break;
    case State::blocked:
    case State::forwarded:
      break;
  }
  if (may_expire(header)) add(ExpiryKey{header.expires_ms, job});
}

}  // namespace tq::engine
